/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child that waits at a pipe between fork and exec, so that the probe's scope holds it before it runs its first instruction.
 * In C because nothing but async-signal-safe calls may happen between fork and exec.
 */
#define _GNU_SOURCE
#include "linux_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void close_both(int pipe_ends[2])
{
	close(pipe_ends[0]);
	close(pipe_ends[1]);
}

/* What a program expects to start with, whatever we blocked or ignored for ourselves. */
static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_child(int gate, int failure, char *const *argv, char *const *envp)
{
	char byte;
	ssize_t count;
	int error;

	reset_signals();
	do {
		count = read(gate, &byte, 1);
	} while (count < 0 && errno == EINTR);
	if (count != 1)
		_exit(127);
	execvpe(argv[0], argv, envp ? envp : environ);
	error = errno;
	count = write(failure, &error, sizeof(error));
	(void)count;
	_exit(error == ENOENT ? 127 : 126);
}

int linux_spawn_gated(char *const *argv, char *const *envp, struct linux_gated_child *child)
{
	int gate[2], failure[2], error;
	sigset_t all, before;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) != 0)
		return errno;
	if (pipe2(failure, O_CLOEXEC) != 0) {
		error = errno;
		close_both(gate);
		return error;
	}
	/* No handler of ours may run in the child. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		close(failure[0]);
		run_child(gate[0], failure[1], argv, envp);
	}
	error = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(gate[0]);
	close(failure[1]);
	if (pid < 0) {
		close(gate[1]);
		close(failure[0]);
		return error;
	}
	*child = (struct linux_gated_child){.pid = pid, .gate = gate[1], .failure = failure[0]};
	return 0;
}

int linux_gate_open(struct linux_gated_child *child)
{
	int error = 0;
	ssize_t count;

	/* A child that was killed at the gate leaves a broken pipe: the caller's SIGPIPE must be ignored or blocked for this write. */
	sigset_t pipe_signal, before;
	struct timespec at_once = {0};

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
	do {
		count = write(child->gate, "", 1);
	} while (count < 0 && errno == EINTR);
	if (count != 1) {
		error = errno;
		if (error == EPIPE && !sigismember(&before, SIGPIPE))
			sigtimedwait(&pipe_signal, NULL, &at_once);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	close(child->gate);
	if (error == 0) {
		do {
			count = read(child->failure, &error, sizeof(error));
		} while (count < 0 && errno == EINTR);
		if (count != (ssize_t)sizeof(error))
			error = 0;
	}
	close(child->failure);
	child->gate = child->failure = -1;
	return error;
}

void linux_gate_abandon(struct linux_gated_child *child)
{
	close(child->gate);
	close(child->failure);
	child->gate = child->failure = -1;
}

int linux_wait_status(int pid, int block)
{
	int status;
	pid_t ended;

	do {
		ended = waitpid(pid, &status, block ? 0 : WNOHANG);
	} while (ended < 0 && errno == EINTR);
	if (ended < 0)
		return -2;
	if (ended == 0)
		return -1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
