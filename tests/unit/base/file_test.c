/* A name stands for the whole of a content or for nothing, whatever fails, whoever is at it, and in which
 * order the disk is told. The system's calls pass through here, so that each of them can be seen and made to
 * fail. */
#include "tests/unit/support.h"

#include "ledger/base/file/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/crawltab-file-XXXXXX";
static char path[300];
static char other[300];

/* --- The calls */

static char calls[512];       /* those that matter, in order */
static const char *fails;     /* the one that fails for want of space */
static uint64_t chances[4];   /* what random_bytes gives, */
static size_t chances_left;   /* so many times */
static pthread_mutex_t mutex; /* some tests have threads */

static int say(const char *call, long result)
{
    size_t len;
    pthread_mutex_lock(&mutex);
    len = strlen(calls);
    snprintf(calls + len, sizeof(calls) - len, "%s%s", len > 0 ? ", " : "", call);
    pthread_mutex_unlock(&mutex);
    return (int)result;
}

static bool to_fail(const char *call)
{
    errno = ENOSPC;
    return fails && strcmp(fails, call) == 0;
}

int fsync(int fd)
{
    struct stat status;
    const char *call = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode) ? "flush folder" : "flush file";
    return to_fail(call) ? -1 : say(call, syscall(SYS_fsync, fd));
}

int linkat(int from, const char *name, int to, const char *as, int flags)
{
    return to_fail("link") ? -1 : say("link", syscall(SYS_linkat, from, name, to, as, flags));
}

int renameat(int from, const char *name, int to, const char *as)
{
    return to_fail("rename") ? -1 : say("rename", syscall(SYS_renameat2, from, name, to, as, 0));
}

ssize_t write(int fd, const void *bytes, size_t len)
{
    if (!to_fail("write"))
        return syscall(SYS_write, fd, bytes, len);
    return len > 1 ? syscall(SYS_write, fd, bytes, len / 2) : -1; /* a disk fills up in the middle */
}

void random_bytes(void *out, size_t len)
{
    static uint64_t last = 1000;
    pthread_mutex_lock(&mutex);
    uint64_t chance = chances_left > 0 ? chances[--chances_left] : last++;
    pthread_mutex_unlock(&mutex);
    assert_int_equal(len, sizeof(chance));
    memcpy(out, &chance, len);
}

/* --- What is there */

static int make_folder(void **state)
{
    (void)state;
    memset(folder + strlen(folder) - 6, 'X', 6);
    calls[0] = '\0';
    fails = NULL;
    umask(022);
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/name", folder);
    snprintf(other, sizeof(other), "%s/other", folder);
    return 0;
}

static int remove_folder(void **state)
{
    const char *const words[] = {"rm", "-rf", folder, NULL};
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        execvp(words[0], (char *const *)(uintptr_t)words);
        _exit(127);
    }
    return waitpid(child, NULL, 0) == child ? 0 : -1;
}

static int entries(void)
{
    int count = 0;
    DIR *all = opendir(folder);
    assert_non_null(all);
    for (struct dirent *entry; (entry = readdir(all));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(all);
    return count;
}

static void assert_file(const char *at, const char *content, unsigned mode)
{
    struct stat status;
    size_t len;
    char *text = file_read(at, 1 << 20, &len, &status);
    assert_non_null(text);
    assert_string_equal(text, content);
    assert_int_equal(len, strlen(content));
    assert_int_equal(status.st_mode & 07777, mode);
    free(text);
}

static void put(const char *at, const char *content, unsigned mode)
{
    int fd = open(at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_true(file_write_all(fd, content, strlen(content)));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static const char *make(const char *text, enum file_named *named)
{
    return file_make(path, text, strlen(text), named);
}

static const char *replace(const char *text)
{
    return file_replace(path, text, strlen(text), FILE_PRIVATE);
}

/* --- The order */

static void what_is_named_is_on_the_disk(void **state)
{
    enum file_named named;
    (void)state;
    assert_null(make("one", &named));
    assert_int_equal(named, FILE_MADE);
    assert_string_equal(calls, "flush file, link, flush folder");
    assert_file(path, "one", 0600);
    calls[0] = '\0';
    assert_null(replace("two"));
    assert_string_equal(calls, "flush file, rename, flush folder");
    assert_file(path, "two", 0600);
    assert_int_equal(entries(), 1);
}

static void a_missing_folder_is_made_and_flushed_into_its_own(void **state)
{
    enum file_named named;
    struct stat status;
    char inner[350];
    (void)state;
    snprintf(inner, sizeof(inner), "%s/keys/name", folder);
    assert_null(file_make(inner, "one", 3, &named));
    assert_string_equal(calls, "flush folder, flush file, link, flush folder");
    assert_file(inner, "one", 0600);
    snprintf(inner, sizeof(inner), "%s/keys", folder);
    assert_int_equal(stat(inner, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    snprintf(inner, sizeof(inner), "%s/no/keys/name", folder); /* not the folder's parents */
    assert_string_equal(file_make(inner, "one", 3, &named), strerror(ENOENT));
    /* Only what makes itself at the first start makes its folder too. */
    assert_string_equal(file_replace(inner, "one", 3, FILE_PUBLIC), strerror(ENOENT));
    assert_int_equal(entries(), 1);
}

static void the_mode_is_the_one_that_was_given(void **state)
{
    (void)state;
    assert_null(file_replace(path, "page", 4, FILE_PUBLIC));
    assert_file(path, "page", 0644);
    umask(077);
    assert_null(file_replace(path, "page", 4, FILE_PUBLIC));
    assert_file(path, "page", 0600);
    put(path, "loose", 0666);
    assert_null(replace("tight"));
    assert_file(path, "tight", 0600);
}

/* --- What fails */

static void nothing_is_left_of_what_fails(void **state)
{
    static const char *const steps[] = {"write", "flush file", "link", "flush folder"};
    static const char *const changes[] = {"write", "flush file", "rename"};
    enum file_named named;
    (void)state;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        fails = steps[i];
        const char *problem = make("content", &named);
        fails = NULL;
        if (!problem || strcmp(problem, strerror(ENOSPC)) != 0)
            fail_msg("%s: %s", steps[i], problem ? problem : "success");
        assert_int_equal(entries(), 0);
    }
    put(path, "before", 0600);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        fails = changes[i];
        const char *problem = replace("content");
        fails = NULL;
        if (!problem || strcmp(problem, strerror(ENOSPC)) != 0)
            fail_msg("%s: %s", changes[i], problem ? problem : "success");
        assert_file(path, "before", 0600);
        assert_int_equal(entries(), 1);
    }
}

/* Half of it fits: by write and by a stream, whose bytes reach the disk late. */
static void a_limit_in_the_middle_leaves_nothing(void **state)
{
    static char content[100000];
    struct rlimit before, small;
    enum file_named named;
    struct file_draft *draft;
    (void)state;
    memset(content, 'x', sizeof(content));
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){60000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_string_equal(file_make(path, content, sizeof(content), &named), strerror(EFBIG));
    assert_null(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft));
    FILE *stream = file_draft_stream(draft);
    assert_non_null(stream);
    for (size_t i = 0; i < sizeof(content); i++)
        putc('x', stream);
    assert_non_null(file_draft_make(draft, &named));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(entries(), 0);
    assert_null(file_make(path, content, sizeof(content), &named));
    assert_int_equal(entries(), 1);
}

static void a_stream_is_written_whole(void **state)
{
    struct file_draft *draft;
    enum file_named named;
    (void)state;
    assert_null(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft));
    fputs("what is still in the stream", file_draft_stream(draft));
    assert_int_equal(access(path, F_OK), -1); /* not before it is whole */
    assert_null(file_draft_make(draft, &named));
    assert_string_equal(calls, "flush file, link, flush folder");
    assert_file(path, "what is still in the stream", 0600);
    assert_null(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft));
    fputs("given up", file_draft_stream(draft));
    file_draft_discard(draft);
    file_draft_discard(NULL);
    assert_file(path, "what is still in the stream", 0600);
    assert_int_equal(entries(), 1);
}

/* --- Who is in the way */

static void what_a_killed_program_left_stops_nobody(void **state)
{
    enum file_named named;
    struct file_draft *draft;
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        chances[0] = 7;
        chances_left = 1;
        raise(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft) ? SIGTERM : SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_int_equal(entries(), 1);
    /* Not even by the same chance. */
    chances[1] = 7, chances[0] = 8, chances_left = 2;
    assert_null(make("one", &named));
    assert_int_equal(chances_left, 0);
    assert_int_equal(named, FILE_MADE);
    assert_int_equal(entries(), 2);
    assert_null(replace("two"));
    assert_file(path, "two", 0600);
    assert_int_equal(entries(), 2);
}

static void what_is_there_is_kept(void **state)
{
    enum file_named named;
    (void)state;
    put(path, "one", 0644);
    assert_null(make("one", &named));
    assert_int_equal(named, FILE_SAME);
    assert_file(path, "one", 0600); /* an older version made it for everybody */
    assert_string_equal(calls, "flush file, link, flush file, flush folder"); /* theirs, too */
    put(path, "other", 0644);
    assert_null(make("one", &named));
    assert_int_equal(named, FILE_OTHER);
    assert_file(path, "other", 0644);
    put(path, "", 0600);
    assert_null(make("one", &named));
    assert_int_equal(named, FILE_OTHER);
    assert_int_equal(entries(), 1);
}

static void large_files_are_compared_to_the_end(void **state)
{
    static char content[300000];
    enum file_named named;
    (void)state;
    memset(content, 'x', sizeof(content));
    assert_null(file_make(path, content, sizeof(content), &named));
    assert_null(file_make(path, content, sizeof(content), &named));
    assert_int_equal(named, FILE_SAME);
    assert_null(file_make(path, content, sizeof(content) - 1, &named));
    assert_int_equal(named, FILE_OTHER);
    content[sizeof(content) - 1] = 'y';
    assert_null(file_make(path, content, sizeof(content), &named));
    assert_int_equal(named, FILE_OTHER);
}

static void no_link_is_followed(void **state)
{
    enum file_named named;
    struct file_draft *draft;
    struct stat status;
    (void)state;
    put(other, "others'", 0666);
    assert_int_equal(symlink("other", path), 0);
    assert_non_null(strstr(make("one", &named), "symbolic link"));
    assert_non_null(strstr(replace("one"), "symbolic link"));
    assert_file(other, "others'", 0666);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(entries(), 2);
    /* To where nothing is. */
    assert_int_equal(unlink(other), 0);
    assert_non_null(strstr(make("one", &named), "symbolic link"));
    assert_non_null(strstr(replace("one"), "symbolic link"));
    assert_int_equal(entries(), 1);
    /* It gives way where that is wanted, and what it leads to is let be. */
    put(other, "others'", 0666);
    assert_null(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft));
    file_draft_write(draft, "one", 3);
    assert_null(file_draft_replace(draft, true));
    assert_file(other, "others'", 0666);
    assert_file(path, "one", 0600);
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
}

static void folders_and_devices_are_no_files(void **state)
{
    enum file_named named;
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0);
    assert_string_equal(make("one", &named), "a folder has this name");
    assert_string_equal(replace("one"), "a folder has this name");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_string_equal(make("one", &named), "what has this name is no file");
    assert_string_equal(replace("one"), "what has this name is no file");
    assert_string_equal(file_replace("/dev/null", "one", 3, FILE_PRIVATE), "what has this name is no file");
    assert_int_equal(entries(), 1);
}

static void another_users_file_is_let_be(void **state)
{
    enum file_named named;
    struct file_draft *draft;
    struct stat status;
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can make one */
    put(path, "theirs", 0666);
    assert_int_equal(chown(path, 65534, 65534), 0);
    assert_string_equal(replace("one"), "another user's file has this name");
    assert_null(make("theirs", &named));
    assert_int_equal(named, FILE_OTHER); /* they may change it at any time */
    assert_file(path, "theirs", 0666);
    assert_int_equal(entries(), 1);
    /* Unless it is made for them. */
    assert_int_equal(stat(path, &status), 0);
    assert_null(file_draft_begin(AT_FDCWD, path, FILE_PRIVATE, &draft));
    file_draft_give(draft, &status);
    file_draft_write(draft, "anew", 4);
    assert_null(file_draft_replace(draft, false));
    assert_file(path, "anew", 0600);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_uid, 65534);
}

static void *make_mine(void *text)
{
    static char another[] = "another";
    enum file_named named;
    return make(text, &named) ? NULL : named == FILE_MADE ? text : another;
}

static void of_many_at_once_one_makes_it(void **state)
{
    static char texts[8][2] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    pthread_t threads[8];
    const char *made = NULL;
    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_mine, texts[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
        if (strcmp(result, "another") != 0) {
            assert_null(made);
            made = result;
        }
    }
    assert_non_null(made);
    assert_file(path, made, 0600);
    assert_int_equal(entries(), 1);
}

/* --- Names and reading */

static void names_are_those_of_files(void **state)
{
    char name[600];
    (void)state;
    static const char *const none[] = {"", "/", ".", "..", "a/", "/tmp/..", "/tmp/."};
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        assert_string_equal(file_replace(none[i], "one", 3, FILE_PRIVATE), strerror(EISDIR));
    snprintf(name, sizeof(name), "%s/%0255d", folder, 1);
    assert_null(file_replace(name, "one", 3, FILE_PRIVATE));
    assert_file(name, "one", 0600);
    snprintf(name, sizeof(name), "%s/%0256d", folder, 1);
    assert_string_equal(file_replace(name, "one", 3, FILE_PRIVATE), strerror(ENAMETOOLONG));
    snprintf(name, sizeof(name), "%s//name", folder);
    assert_null(file_replace(name, "one", 3, FILE_PRIVATE));
    assert_file(path, "one", 0600);
    /* Beside where we are, and beside an open folder. */
    int at = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct file_draft *draft;
    assert_null(file_draft_begin(at, "other", FILE_PRIVATE, &draft));
    file_draft_write(draft, "two", 3);
    assert_null(file_draft_replace(draft, false));
    close(at);
    assert_file(other, "two", 0600);
    char before[256];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(folder), 0);
    assert_null(file_replace("other", "three", 5, FILE_PRIVATE));
    assert_int_equal(chdir(before), 0);
    assert_file(other, "three", 0600);
}

static void a_file_is_read_whole_or_not(void **state)
{
    struct stat status;
    size_t len;
    char *text;
    (void)state;
    assert_null(file_read(path, 10, &len, &status));
    assert_int_equal(errno, ENOENT);
    put(path, "0123456789", 0600);
    text = file_read(path, 10, &len, NULL);
    assert_string_equal(text, "0123456789");
    assert_int_equal(len, 10);
    free(text);
    assert_null(file_read(path, 9, &len, NULL));
    assert_int_equal(errno, EFBIG);
    assert_null(file_read(folder, 9, &len, NULL));
    assert_int_equal(errno, EISDIR);
    put(path, "", 0600);
    text = file_read(path, 0, &len, NULL);
    assert_string_equal(text, "");
    free(text);
}

static void secrets_are_no_ones_but_the_owners(void **state)
{
    static const struct {
        unsigned mode;
        bool exposed;
    } cases[] = {{0600, false}, {0400, false}, {0640, false}, {0440, false}, {0604, true},
                 {0644, true},  {0666, true},  {0620, true},  {0602, true},  {0601, true}};
    struct stat status;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        put(path, "secret", cases[i].mode);
        assert_int_equal(stat(path, &status), 0);
        if (file_is_exposed(&status) != cases[i].exposed)
            fail_msg("%o", cases[i].mode);
        assert_int_equal(unlink(path), 0);
    }
}

static void a_stamp_tells_a_file_from_its_successor(void **state)
{
    struct file_stamp none = file_stamp(path), first, second;
    (void)state;
    assert_true(file_same(&none, &(struct file_stamp){.size = 0}));
    assert_null(replace("one"));
    first = file_stamp(path);
    assert_false(file_same(&none, &first));
    second = file_stamp(path);
    assert_true(file_same(&first, &second));
    assert_null(replace("two"));
    second = file_stamp(path);
    assert_false(file_same(&first, &second));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_named_is_on_the_disk),
        TEST(a_missing_folder_is_made_and_flushed_into_its_own),
        TEST(the_mode_is_the_one_that_was_given),
        TEST(nothing_is_left_of_what_fails),
        TEST(a_limit_in_the_middle_leaves_nothing),
        TEST(a_stream_is_written_whole),
        TEST(what_a_killed_program_left_stops_nobody),
        TEST(what_is_there_is_kept),
        TEST(large_files_are_compared_to_the_end),
        TEST(no_link_is_followed),
        TEST(folders_and_devices_are_no_files),
        TEST(another_users_file_is_let_be),
        TEST(of_many_at_once_one_makes_it),
        TEST(names_are_those_of_files),
        TEST(a_file_is_read_whole_or_not),
        TEST(secrets_are_no_ones_but_the_owners),
        TEST(a_stamp_tells_a_file_from_its_successor),
    };
    pthread_mutex_init(&mutex, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
