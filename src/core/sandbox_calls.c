/* sandbox_calls: the filter of system calls. What is listed fails with EPERM (clone3 and others that a library can do without: ENOSYS); everything
 * else passes: interpreters and compilers use too many calls for a list of what is allowed. */
#include "core/sandbox_parts.h"
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
/* Newer than some headers. */
enum { NR_open_tree = 428, NR_move_mount, NR_fsopen, NR_fsconfig, NR_fsmount, NR_fspick, NR_pidfd_open, NR_clone3, NR_pidfd_getfd = 438, NR_mount_setattr = 442, NR_quotactl_fd, NR_memfd_secret = 447,
       NR_process_madvise = 440, NR_process_mrelease = 448, NR_fchmodat2 = 452, NR_setxattrat = 463, NR_removexattrat = 466, NR_open_tree_attr = 467, NR_file_setattr = 469 };

static const int REFUSED[] = {
    /* other processes */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, NR_pidfd_getfd, NR_process_madvise, NR_process_mrelease,
    /* namespaces and mounts */
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, NR_open_tree, NR_move_mount, NR_fsopen, NR_fsconfig, NR_fsmount, NR_fspick, NR_mount_setattr, NR_open_tree_attr,
    SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_fanotify_init, SYS_quotactl, NR_quotactl_fd, SYS_swapon, SYS_swapoff,
    /* the machine */
    SYS_reboot, SYS_kexec_load, SYS_kexec_file_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_bpf, SYS_perf_event_open, SYS_syslog, SYS_acct, SYS_settimeofday, SYS_clock_settime,
    SYS_adjtimex, SYS_clock_adjtime, SYS_sethostname, SYS_setdomainname, SYS_vhangup,
    /* keys, and memory that no limit counts */
    SYS_add_key, SYS_request_key, SYS_keyctl, SYS_memfd_create, NR_memfd_secret, SYS_shmget, SYS_shmat, SYS_msgget, SYS_semget, SYS_mq_open,
    /* surfaces with a history */
    SYS_userfaultfd, SYS_personality, SYS_lookup_dcookie, SYS_nfsservctl,
#ifdef __x86_64__
    SYS_modify_ldt, SYS_iopl, SYS_ioperm, SYS_uselib, SYS_ustat, SYS__sysctl, SYS_create_module, SYS_get_kernel_syms, SYS_query_module, SYS_sysfs,
#endif
};
static const int MISSING[] = { NR_clone3, 425, 426, 427 };      /* io_uring_setup, _enter, _register: what they do no filter sees */

static const int HOST[] = { SYS_setsid, SYS_setpgid, SYS_connect, SYS_bind, SYS_listen, SYS_migrate_pages, SYS_move_pages, SYS_setpriority, SYS_ioprio_set, SYS_sched_setscheduler, SYS_sched_setparam,
                            SYS_sched_setattr, SYS_sched_setaffinity };
static const int OWNER[] = {
    SYS_fchmodat, NR_fchmodat2, SYS_fchownat, SYS_utimensat, SYS_setxattr, SYS_lsetxattr, SYS_removexattr, SYS_lremovexattr, NR_setxattrat, NR_removexattrat, NR_file_setattr, SYS_truncate,
#ifdef __x86_64__
    SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
};
static const int SIGNALS[] = { SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal };

typedef struct { struct sock_filter *f; unsigned short n; } code;

static void put(code *c, struct sock_filter x) { if (c->n < QN_CALLS_MAX) c->f[c->n++] = x; }
static void put_load(code *c, size_t at) { put(c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)at)); }
static void put_end(code *c, unsigned what) { put(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what)); }

static void put_calls(code *c, const int *nr, size_t n, unsigned what)
{
    for (size_t i = 0; i < n; i++) {
        put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr[i], 0, 1));
        put_end(c, what);
    }
}
#define PUT(c, list, what) put_calls(c, list, sizeof list / sizeof *list, what)

/* The low half of argument `arg` of call `nr`, masked: not zero is refused (when `any`), or must be one value. */
static void put_argument(code *c, int nr, int arg, unsigned mask, unsigned what)
{
    put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 4));
    put_load(c, offsetof(struct seccomp_data, args) + 8 * (size_t)arg);
    put(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, mask, 0, 1));
    put_end(c, what);
    put_end(c, SECCOMP_RET_ALLOW);
}

unsigned short qn_calls_filter(unsigned flags, struct sock_filter out[QN_CALLS_MAX])
{
    const unsigned no = SECCOMP_RET_ERRNO | EPERM;
    code c = { out, 0 };
    put_load(&c, offsetof(struct seccomp_data, arch));
    put(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    put_end(&c, SECCOMP_RET_KILL_PROCESS);
    put_load(&c, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    put(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1));      /* x32 */
    put_end(&c, no);
#endif
    PUT(&c, REFUSED, no);
    PUT(&c, MISSING, SECCOMP_RET_ERRNO | ENOSYS);
    if (flags & QN_CALLS_HOST) PUT(&c, HOST, no);
    if (flags & QN_CALLS_HOST) put_calls(&c, (const int[]){ SYS_socket }, 1, SECCOMP_RET_ERRNO | EACCES);     /* socketpair stays: it reaches nobody */
    if (flags & QN_CALLS_OWNER) PUT(&c, OWNER, no);
    if (flags & QN_CALLS_SIGNALS) PUT(&c, SIGNALS, no);
    put_argument(&c, SYS_clone, 0, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP, no);
    put_end(&c, SECCOMP_RET_ALLOW);
    return c.n;
}
