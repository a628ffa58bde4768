#ifndef CVALIJSON_H
#define CVALIJSON_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled JSON schema (draft 7). Immutable: any number of threads may validate with it at once.
typedef struct reactord_schema reactord_schema;

/// Called once per problem; both texts are UTF-8 and live only during the call.
///
/// @param pointer JSON pointer of the place, "" for the whole document.
typedef void (*reactord_schema_report)(void *context, const char *pointer, const char *problem);

/// Compiles a schema, or returns NULL and reports why (places are places in the schema).
///
/// Bounded in size, depth, references and pattern length. Nothing is fetched: a reference leads into the schema
/// itself or to the meta-schema of draft 7, which is built in.
///
/// @param is_foreign not 0: a stranger wrote it. A pattern that RE2 cannot match (see below) is refused then.
reactord_schema *reactord_schema_compile(
    const char *text, size_t length, int is_foreign, reactord_schema_report report, void *context);

/// Reports what is wrong with `json`, at most 32 problems, and returns their number; 0 when it satisfies the schema.
///
/// `pattern` and `patternProperties` are matched by RE2, in time that grows with string and pattern and no faster; those
/// that look ahead or back to groups by std::regex, whose stack grows with the string and which may take as long as
/// there are ways to match. A string of more than 4096 bytes (less, when the pattern is so large that it would take more
/// than 256 MiB of stack) that a pattern would have to match is therefore a violation, also below `not`; so is such a
/// key when the schema has `patternProperties`, and a message that takes too many steps to match with the patterns of a
/// foreign schema. Patterns see UTF-8 bytes. `format` is an annotation, as draft 7 allows.
size_t reactord_schema_validate(
    const reactord_schema *schema, const char *json, size_t length, reactord_schema_report report, void *context);

/// Not 0 when checking takes no longer than an event loop may wait: the house wrote it, and no pattern of it needs
/// std::regex.
int reactord_schema_is_quick(const reactord_schema *schema);

/// Accepts NULL.
void reactord_schema_free(reactord_schema *schema);

#ifdef __cplusplus
}
#endif

#endif
