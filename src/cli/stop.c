/* stop: signals that ask a run to end. The first one ends it gently (what is under way may finish for 5 s), the second at once. */
#include "cli/cmd.h"
#include "core/queue.h"
#include <signal.h>

static int asked;

static void on_signal(int sig)
{
    (void)sig;
    qn_flag_raise(&asked, qn_flag_get(&asked) + 1);
}

const int *qn_stop_flag(void)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction mine = { .sa_handler = on_signal }, was;
    for (int i = 0; i < 3; i++)
        if (sigaction(signals[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN) sigaction(signals[i], &mine, NULL);   /* nohup stays nohup */
    return &asked;
}
