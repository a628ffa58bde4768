# What an actor does: reads its message wherever it may stand, sends it back as results, uses its folder, says all of it.
use strict;
use warnings;
use Socket;

$| = 1;
print "user $>\n";
print "from the image: $ENV{FROM_IMAGE}\n";
print "MSG ", $ENV{MSG} // 'none', "\n";
print "type $ENV{_abaco_Content_Type}, image $ENV{_abaco_container_repo}, sender $ENV{_abaco_username}\n";
for my $path ('/_abaco_binary_data', '/_abaco_fifo_folder/_abaco_binary_data', $ENV{REACTORD_MESSAGE_FILE}) {
    open(my $file, '<:raw', $path) or die "$path cannot be read: $!\n";
    local $/;
    my $message = <$file>;
    print "read ", length $message, "\n";
    next if $path ne '/_abaco_binary_data' || $ENV{_abaco_Content_Type} ne 'application/octet-stream';
    send_to('/_abaco_results.sock', scalar reverse $message);
}
send_to('/_abaco_results.sock', 'first');
send_to('/_abaco_socket_folder/_abaco_results.sock', 'second');
send_to($ENV{ABACO_RESULTS_SOCK}, 'third');
open(my $file, '>', 'here') or die "the work folder cannot be written to: $!\n";
print $file "x";
# Nothing of the daemon's may be replaced: this makes links that only this container sees.
for my $path ("$ENV{SCRATCH}/../results", "$ENV{SCRATCH}/../output.log") {
    print "sees $path\n" if -e $path || -l $path;
    symlink('/etc', $path);
}
unlink $ENV{ABACO_RESULTS_SOCK} and print "removed the socket\n";
print "done\n";

sub send_to {
    my ($path, $bytes) = @_;
    socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "no socket: $!\n";
    send($socket, $bytes, 0, sockaddr_un($path)) // die "$path takes nothing: $!\n";
}
