"""Lets agavepy speak plain HTTP to a daemon at host:port: put this folder on PYTHONPATH, change nothing else.

agavepy makes https of every address, and sends its token only where the address has no port.
"""

from urllib.parse import urlsplit

try:
    from agavepy.swaggerpy import http_client
except ImportError:
    http_client = None


def with_plain_http(request):
    def wrapped(self, method, url, *arguments, **options):
        if url.startswith("https://") and urlsplit(url).port not in (None, 443):
            url = "http" + url[len("https"):]
        return request(self, method, url, *arguments, **options)

    return wrapped


if http_client:
    http_client.Authenticator.matches = lambda self, url: self.host in (urlsplit(url).hostname, urlsplit(url).netloc)
    http_client.SynchronousHttpClient.request = with_plain_http(http_client.SynchronousHttpClient.request)
