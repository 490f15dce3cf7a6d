/* base/mem: also that running out of it ends the process, with a message. */
#include <sys/wait.h>

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#include "base/mem.h"

static void
overflow(int what)
{
	size_t cap = 0;

	if (what == 0)
		free(mem_zero(SIZE_MAX / 2, 4));
	else if (what == 1)
		free(mem_grow(NULL, &cap, SIZE_MAX / 4, 16));
	else
		free(mem_alloc(SIZE_MAX / 2));
	_exit(0);
}

int
main(void)
{
	size_t cap = 0;
	int *v = NULL, *z = mem_zero(3, sizeof(int)), status = 0;
	bool good = true;
	char *text;
	pid_t pid;

	CHECK(z[0] == 0 && z[2] == 0);
	free(z);
	z = NULL;
	text = mem_cstr((str){ "abc", 2 });
	CHECK(strcmp(text, "ab") == 0);
	free(text);
	text = mem_cstr(STR_NONE);
	CHECK(text[0] == '\0');
	free(text);
	for (int i = 0; i < 1000; i++) {
		v = mem_grow(v, &cap, (size_t)i + 1, sizeof(*v));
		v[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		good = good && v[i] == i;
	CHECK(good && cap >= 1000 && cap <= 2048);
	CHECK(mem_grow(v, &cap, 5, sizeof(*v)) == v);
	free(v);
	v = mem_alloc(0);
	CHECK(v != NULL);
	free(v);
	/* the sanitizers stop at such sizes themselves */
	for (int i = 0; i < 3; i++) {
		(void)fflush(stdout); /* the child's exit would do it again */
		if ((pid = fork()) == 0) {
			(void)dup2(open("/dev/null", O_WRONLY), 2);
			overflow(i);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	}
	return done();
}
