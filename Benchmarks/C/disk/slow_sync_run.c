// A slow disk for programs that do not use the C library (nats-server is Go): runs a command under a seccomp filter
// that hands every fsync and fdatasync to this process, which sleeps SYNC_DELAY_US microseconds and lets the call go
// on. Each thread of the pool holds one call, so calls of several threads overlap, as with LD_PRELOAD.
//   slow_sync_run COMMAND [ARGUMENT …]
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLEEPERS = 16 };

static long delay;
static int listener;
static pid_t child;

static void *sleeper(void *unused) {
    (void)unused;
    struct seccomp_notif call;
    struct seccomp_notif_resp answer;
    while (1) {
        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) {
            if (errno == EINTR || errno == ENOENT) continue;
            return NULL;
        }
        struct timespec rest = {.tv_sec = delay / 1000000, .tv_nsec = delay % 1000000 * 1000};
        while (nanosleep(&rest, &rest) != 0) {}
        memset(&answer, 0, sizeof answer);
        answer.id = call.id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

static int install(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fsync, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_fdatasync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof filter / sizeof *filter, .filter = filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static void pass_on(int number) {
    if (child > 0) kill(child, number);
}

static void send_descriptor(int socket, int descriptor) {
    char control[CMSG_SPACE(sizeof descriptor)] = {0}, byte = 0;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    if (sendmsg(socket, &message, 0) < 0) _exit(1);
}

static int receive_descriptor(int socket) {
    char control[CMSG_SPACE(sizeof(int))] = {0}, byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, 0) <= 0 || CMSG_FIRSTHDR(&message) == NULL) return -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof descriptor);
    return descriptor;
}

int main(int count, char **arguments) {
    const char *text = getenv("SYNC_DELAY_US");
    int ends[2];
    if (count < 2 || text == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fputs("usage: SYNC_DELAY_US=N slow_sync_run COMMAND [ARGUMENT ...]\n", stderr);
        return 2;
    }
    delay = atol(text);
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int made = install();
        if (made < 0) {
            perror("seccomp");
            _exit(1);
        }
        send_descriptor(ends[1], made);
        close(made);
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        _exit(127);
    }
    close(ends[1]);
    listener = receive_descriptor(ends[0]);
    if (listener < 0) return 1;
    signal(SIGTERM, pass_on);
    signal(SIGINT, pass_on);
    pthread_t thread;
    for (int index = 0; index < SLEEPERS; index++) pthread_create(&thread, NULL, sleeper, NULL);
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
