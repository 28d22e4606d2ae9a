/* child_jail: limits and a system call filter. What is not listed fails with EPERM, so that a library can go on without it. */
#include "io/child_jail.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static const int ALLOWED[] = {
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_close, SYS_fstat, SYS_lseek, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap,
    SYS_madvise, SYS_brk, SYS_futex, SYS_getrandom, SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday, SYS_rt_sigaction, SYS_rt_sigprocmask,
    SYS_rt_sigreturn, SYS_sigaltstack, SYS_exit, SYS_exit_group, SYS_getpid, SYS_gettid, SYS_getppid, SYS_tgkill, SYS_prlimit64, SYS_getrlimit,
    SYS_readlinkat, SYS_faccessat, SYS_getcwd, SYS_getdents64, SYS_uname, SYS_sysinfo, SYS_sched_getaffinity, SYS_sched_yield, SYS_fcntl, SYS_dup,
    SYS_ppoll, SYS_getrusage, SYS_times, SYS_set_robust_list, SYS_statfs, SYS_fstatfs, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
    SYS_nanosleep, SYS_clock_nanosleep, SYS_restart_syscall, SYS_newfstatat,
#ifdef SYS_faccessat2
    SYS_faccessat2,
#endif
#ifdef SYS_statx
    SYS_statx,
#endif
#ifdef SYS_rseq
    SYS_rseq,
#endif
#ifdef __x86_64__
    SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_poll, SYS_arch_prctl, SYS_time,
#endif
};

#ifndef SANITIZED
static void limit(int what, rlim_t n)
{
    struct rlimit r = { n, n };
    setrlimit(what, &r);
}

/* openat, only to read: O_RDONLY and without O_CREAT or O_TRUNC. */
static void filter_calls(void)
{
    enum { N = sizeof ALLOWED / sizeof *ALLOWED };
    struct sock_filter f[N * 2 + 16];
    unsigned short n = 0;
    const unsigned nr = offsetof(struct seccomp_data, nr), arch = offsetof(struct seccomp_data, arch), flags = offsetof(struct seccomp_data, args[2]);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arch);
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, nr);
    for (size_t i = 0; i < N; i++) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)ALLOWED[i], 0, 1);
        f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    }
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, flags);
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_ACCMODE | O_CREAT | O_TRUNC, 1, 0);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog prog = { n, f };
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}
#endif

void qn_jail_enter(void)
{
    syscall(SYS_close_range, 3u, ~0u, 0u);
    prctl(PR_SET_PDEATHSIG, 9);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0);
#ifndef SANITIZED
    limit(RLIMIT_AS, (rlim_t)2 << 30);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, 64);
    filter_calls();
#else
    (void)ALLOWED;
#endif
}

void qn_jail_cpu(int seconds)
{
    struct rusage u;
    struct rlimit r;
    getrusage(RUSAGE_SELF, &u);
    if (getrlimit(RLIMIT_CPU, &r) != 0) return;
    r.rlim_cur = (rlim_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec + seconds + 1);
    setrlimit(RLIMIT_CPU, &r);
}
