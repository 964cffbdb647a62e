/* Who is an AI crawler by User-Agent: the list, and what the configuration makes of it. */
#include "tests/unit/support.h"

#include "ledger/base/config/ai_crawlers.h"

#include <strings.h>

static struct config *config;
static const char *extra[] = {"ShopReader", "Our Reader 2"};
static const char *except[] = {"facebookExternalHit", "kangaroo bot"};

static int make_config(void **state)
{
    (void)state;
    config = config_defaults();
    return 0;
}

static int free_config(void **state)
{
    (void)state;
    config_free(config);
    return 0;
}

static void adjust(size_t extra_count, size_t except_count)
{
    config->crawlers_extra = (struct config_list){extra, extra_count};
    config->crawlers_except = (struct config_list){except, except_count};
}

static void crawlers_are_known_by_whole_words(void **state)
{
    static const char *const found[][2] = {
        {"Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)", "GPTBot"},
        {"claudebot", "ClaudeBot"},
        {"x (PerplexityBot)", "PerplexityBot"},
        {"ai2bot-dolma", "Ai2Bot-Dolma"},
        {"panscient.com", "Panscient"},
        {"iaskspider/2.0", "iaskspider"},
        {"Mozilla/5.0 (compatible; Brightbot 1.0)", "Brightbot"},
        {"Mozilla/5.0 (compatible; Kangaroo Bot/1.0)", "Kangaroo Bot"},
        {"bigsur.ai/1.0", "bigsur.ai"},
        {"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "facebookexternalhit"},
    };
    static const char *const people[] = {
        "",
        "AI2Bot-Other/1.0 -GPTBot",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36",
        "NotGPTBot/1.0",
        "GPTBots",
        "GPTBot_1",
        "Googlebot/2.1",
        "Kangaroo/1.0",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X; Big Sur) bigsur",
        /* Editors that show pages to people. */
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Code/1.104.0 Chrome/138 Electron/37 "
        "Safari/537.36",
        "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Cursor/1.7 Chrome/138 Electron/37 Safari/537.36",
        "Screaming Frog SEO Spider/21.0",
    };
    (void)state;
    adjust(0, 0);
    for (size_t i = 0; i < sizeof(found) / sizeof(*found); i++)
        assert_slice(ai_crawlers_find(config, slice_of(found[i][0])), found[i][1]);
    for (size_t i = 0; i < sizeof(people) / sizeof(*people); i++)
        assert_int_equal(ai_crawlers_find(config, slice_of(people[i])).len, 0);
    assert_true(ai_crawlers_word(SLICE("Googlebot/2.1"), SLICE("googlebot")));
}

static void the_configuration_adds_and_takes_away(void **state)
{
    (void)state;
    adjust(2, 2);
    assert_slice(ai_crawlers_find(config, SLICE("shopreader/1")), "ShopReader");
    assert_slice(ai_crawlers_find(config, SLICE("x; our reader 2;")), "Our Reader 2");
    assert_int_equal(ai_crawlers_find(config, SLICE("our reader 21")).len, 0);
    assert_int_equal(ai_crawlers_find(config, SLICE("facebookexternalhit/1.1")).len, 0);
    assert_int_equal(ai_crawlers_find(config, SLICE("Kangaroo Bot")).len, 0);
    assert_slice(ai_crawlers_find(config, SLICE("facebookexternalhit GPTBot")), "GPTBot");
    adjust(0, 0);
    assert_int_equal(ai_crawlers_find(config, SLICE("shopreader/1")).len, 0);
}

/* What is put in front of the gate is made from these. */
static void every_name_is_told_once_and_finds_itself(void **state)
{
    struct slice name, before = SLICE("");
    size_t at = 0, count = 0, other_count = 0;
    (void)state;
    adjust(0, 0);
    for (; ai_crawlers_next(config, &at, &name); count++, before = name) {
        assert_true(ai_crawlers_listed(name));
        assert_true(ai_crawlers_find(config, name).data == name.data);
        const size_t shorter = before.len < name.len ? before.len : name.len;
        const int order = strncasecmp(before.data, name.data, shorter);
        /* Sorted, so that none stands twice; phrases start anew. */
        assert_true(order < 0 || (order == 0 && before.len < name.len) || slice_eq(name, SLICE("bigsur.ai")));
    }
    assert_true(count > 150);
    assert_false(ai_crawlers_listed(SLICE("Googlebot")));
    adjust(2, 2);
    for (at = 0; ai_crawlers_next(config, &at, &name);) {
        other_count++;
        assert_false(slice_eq_nocase(name, SLICE("facebookexternalhit")));
    }
    assert_int_equal(other_count, count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crawlers_are_known_by_whole_words),
        cmocka_unit_test(the_configuration_adds_and_takes_away),
        cmocka_unit_test(every_name_is_told_once_and_finds_itself),
    };
    return cmocka_run_group_tests(tests, make_config, free_config);
}
