/*
 * libcurl costs milliseconds at start, so it is loaded by the first request.
 * tests/unit/net-fetch.c uses all of it.
 */
#include <dlfcn.h>

#include "net/fetch_impl.h"

#define SYM(member, name)                                                      \
	{                                                                      \
#name, offsetof(struct fetch_curl, member)                     \
	}
static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	SYM(global_init, curl_global_init),
	SYM(global_cleanup, curl_global_cleanup),
	SYM(easy_init, curl_easy_init),
	SYM(easy_cleanup, curl_easy_cleanup),
	SYM(easy_reset, curl_easy_reset),
	SYM(setopt, curl_easy_setopt),
	SYM(getinfo, curl_easy_getinfo),
	SYM(strerror, curl_easy_strerror),
	SYM(header, curl_easy_header),
	SYM(url, curl_url),
	SYM(url_cleanup, curl_url_cleanup),
	SYM(url_set, curl_url_set),
	SYM(url_get, curl_url_get),
	SYM(url_strerror, curl_url_strerror),
	SYM(free, curl_free),
	SYM(multi_init, curl_multi_init),
	SYM(multi_cleanup, curl_multi_cleanup),
	SYM(multi_setopt, curl_multi_setopt),
	SYM(multi_add, curl_multi_add_handle),
	SYM(multi_remove, curl_multi_remove_handle),
	SYM(multi_assign, curl_multi_assign),
	SYM(multi_action, curl_multi_socket_action),
	SYM(multi_info, curl_multi_info_read),
};

/* Never unloaded: its TLS library has handlers for the end of the process. */
int
fetch_curl_load(struct fetch_curl *c, struct error *e)
{
	void *lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL)
		return error_set(e, "cannot load libcurl: %s", dlerror());
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *fn = dlsym(lib, symbols[i].name);

		if (fn == NULL)
			return error_set(
			    e, "cannot load libcurl: no %s", symbols[i].name);
		memcpy((char *)c + symbols[i].offset, &fn, sizeof(fn));
	}
	if (c->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return error_set(e, "cannot start libcurl");
	return 0;
}
