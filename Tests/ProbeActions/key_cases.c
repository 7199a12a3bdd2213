/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and quotas: what an argument is depends on the operation. */
#define _GNU_SOURCE
#include "case.h"

#include <linux/keyctl.h>
#include <string.h>
#include <sys/quota.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Alternatives of an argument, as in dynamic.def. */
static void number_argument(const char *parameter, int64_t value)
{
	unsigned char expected[9] = {0};

	memcpy(expected + 1, &value, sizeof(value));
	bytes(parameter, expected, sizeof(expected));
}

static void text_argument(const char *parameter, const char *value)
{
	unsigned char expected[64] = {1};

	strcpy((char *)expected + 1, value);
	bytes(parameter, expected, 2 + strlen(value));
}

/* Arguments 2 to 5, all of them numbers. */
static void numbers(int64_t two, int64_t three, int64_t four, int64_t five)
{
	number_argument("arg2", two);
	number_argument("arg3", three);
	number_argument("arg4", four);
	number_argument("arg5", five);
}

static void key_cases_of_child(void)
{
	const long user = KEY_SPEC_USER_KEYRING;
	const char name[] = "falco-test-keyring", type[] = "user", description[] = "falco-test-search-key",
		   info[] = "enc=pkcs1 hash=sha256";
	char buffer[128] = "";
	long about = (long)(uintptr_t)buffer, room = sizeof(buffer);

	CASE("keyctlX_failure", "keyctl", "res", syscall(SYS_keyctl, -3, 47, 0, 0, 0));
	number("operation", 0xfffffffd);
	numbers(0, 0, 0, 0);
	CASE("keyctlX_get_keyring_id", "keyctl", "res", must(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, user, 0, 0, 0)));
	number("operation", 0);
	numbers(user, 0, 0, 0);
	CASE("keyctlX_join_session_keyring", "keyctl", "res",
		must(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name, 0, 0, 0)));
	number("operation", 1);
	text_argument("arg2", name);
	number_argument("arg3", 0);
	number_argument("arg4", 0);
	number_argument("arg5", 0);
	CASE("keyctlX_describe", "keyctl", "res", must(syscall(SYS_keyctl, KEYCTL_DESCRIBE, user, buffer, room, 0)));
	number("operation", 6);
	numbers(user, about, room, 0);
	CASE("keyctlX_get_security", "keyctl", "res", must(syscall(SYS_keyctl, KEYCTL_GET_SECURITY, user, buffer, room, 0)));
	number("operation", 17);
	numbers(user, about, room, 0);
	CASE("keyctlX_search", "keyctl", "res", syscall(SYS_keyctl, KEYCTL_SEARCH, user, type, description, 0));
	number("operation", 10);
	number_argument("arg2", user);
	text_argument("arg3", type);
	text_argument("arg4", description);
	number_argument("arg5", 0);
	CASE("keyctlX_pkey_query", "keyctl", "res", syscall(SYS_keyctl, KEYCTL_PKEY_QUERY, 0x7fffffff, 0, info, buffer));
	number("operation", 24);
	number_argument("arg2", 0x7fffffff);
	number_argument("arg3", 0);
	text_argument("arg4", info);
	number_argument("arg5", 0); /* where the answer goes is no argument of the question */
	CASE("keyctl move, with all its arguments", "keyctl", "res", syscall(SYS_keyctl, KEYCTL_MOVE, -1l, -2l, -3l, -4l));
	number("operation", 30);
	numbers(-1, -2, -3, -4);
	CASE("keyctl revoke, with one argument", "keyctl", "res", syscall(SYS_keyctl, KEYCTL_REVOKE, -1l, -2l, -3l, -4l));
	number("operation", 3);
	numbers(-1, 0, 0, 0);
}

/* The one operation for which the result is asked of nobody: its parent has another session keyring than allowed. */
static void parent_case(void)
{
	CASE("keyctlX_session_to_parent", "keyctl", "res", syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT, 0, 0, 0, 0));
	number("operation", 18);
	numbers(0, 0, 0, 0);
}

static void quota_case(void)
{
	static const char *const zeros[] = {"dqb_bhardlimit", "dqb_bsoftlimit", "dqb_curspace", "dqb_ihardlimit",
		"dqb_isoftlimit", "dqb_btime", "dqb_itime", "dqi_bgrace", "dqi_igrace", "dqi_flags", "id"};
	struct dqblk block = {0};
	size_t i;

	CASE("quotactlX", "quotactl", "res", syscall(SYS_quotactl, QCMD(Q_SYNC, USRQUOTA), "/dev//*null", 1, &block));
	text("special", "/dev//*null");
	empty("quotafilepath");
	for (i = 0; i < sizeof(zeros) / sizeof(zeros[0]); i++)
		number(zeros[i], 0);
	number("quota_fmt_out", 1);
	number("cmd", 128);
	number("type", 1);
	number("quota_fmt", 1);
}

void key_cases(const char *directory)
{
	long child;
	int status;

	(void)directory;
	/* Whoever joins another session of keys ends with it. */
	child = must(syscall(SYS_fork));
	if (!child) {
		if (syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_KEYRING, 0, 0, 0) < 0)
			_exit(0);
		key_cases_of_child();
		_exit(0);
	}
	must(waitpid((pid_t)child, &status, 0));
	if (status)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 90);
	parent_case();
	quota_case();
}
