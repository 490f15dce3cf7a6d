/*
 * Run a command, and say on stderr how much memory it had at most and how long
 * it took: "maxrss KIB ms MS".  The exit status is the command's.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
main(int argc, char **argv)
{
	struct rusage r;
	long start = now();
	int status = 0;
	pid_t pid = fork();

	if (argc < 2 || pid == -1)
		return 125;
	if (pid == 0) {
		(void)execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (wait4(pid, &status, 0, &r) == -1)
		return 125;
	(void)fprintf(
	    stderr, "maxrss %ld ms %ld\n", r.ru_maxrss, now() - start);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}
