#include "ledger/base/config/ai_crawlers.h"

#include <assert.h>

/* Product tokens that AI crawlers, agents and fetchers send, or name for robots.txt, as of 2026-11: what
 * public lists such as ai.robots.txt have. Left out, since people's programs have them in User-Agent too, or
 * may: Code, Cursor and Trae (editors with a browser inside), LCC (as browsers name the maker of a machine),
 * Operator and Spider (words). Crawlers for plain search (Googlebot, Bingbot) are not here either. Who wants
 * any of these names it in `crawlers.extra` or in a rule. Sorted without case. */
static const struct slice words[] = {
    SLICE("AddSearchBot"),
    SLICE("AgentTimes"),
    SLICE("AI2Bot"),
    SLICE("AI2Bot-DeepResearchEval"),
    SLICE("Ai2Bot-Dolma"),
    SLICE("aiHitBot"),
    SLICE("AIWebIndex"),
    SLICE("amazon-kendra"),
    SLICE("amazon-QBusiness"),
    SLICE("Amazonbot"),
    SLICE("AmazonBuyForMe"),
    SLICE("Amzn-SearchBot"),
    SLICE("Amzn-User"),
    SLICE("Andibot"),
    SLICE("Anomura"),
    SLICE("anthropic-ai"),
    SLICE("ApifyBot"),
    SLICE("ApifyWebsiteContentCrawler"),
    SLICE("Applebot"),
    SLICE("Applebot-Extended"),
    SLICE("Aranet-SearchBot"),
    SLICE("atlassian-bot"),
    SLICE("Awario"),
    SLICE("AzureAI-SearchBot"),
    SLICE("bedrockbot"),
    SLICE("Bravebot"),
    SLICE("Brightbot"),
    SLICE("BuddyBot"),
    SLICE("Bytespider"),
    SLICE("CCBot"),
    SLICE("Channel3Bot"),
    SLICE("ChatGLM-Spider"),
    SLICE("ChatGPT-User"),
    SLICE("Claude-Code"),
    SLICE("Claude-SearchBot"),
    SLICE("Claude-User"),
    SLICE("Claude-Web"),
    SLICE("ClaudeBot"),
    SLICE("Cloudflare-AutoRAG"),
    SLICE("CloudVertexBot"),
    SLICE("cohere-ai"),
    SLICE("cohere-training-data-crawler"),
    SLICE("Cotoyogi"),
    SLICE("CragCrawler"),
    SLICE("Crawl4AI"),
    SLICE("Crawlspace"),
    SLICE("DeepSeekBot"),
    SLICE("Devin"),
    SLICE("Diffbot"),
    SLICE("DuckAssistBot"),
    SLICE("EchoboxBot"),
    SLICE("ExaBot"),
    SLICE("ExaSearchBot"),
    SLICE("FacebookBot"),
    SLICE("facebookexternalhit"),
    SLICE("Factset_spyderbot"),
    SLICE("FirecrawlAgent"),
    SLICE("FriendlyCrawler"),
    SLICE("GeistHaus-PageFetcher"),
    SLICE("Gemini-Deep-Research"),
    SLICE("Google-Agent"),
    SLICE("Google-CloudVertexBot"),
    SLICE("Google-Extended"),
    SLICE("Google-Firebase"),
    SLICE("Google-Gemini-CLI"),
    SLICE("Google-NotebookLM"),
    SLICE("GoogleAgent-Mariner"),
    SLICE("GoogleAgent-URLContext"),
    SLICE("GoogleOther"),
    SLICE("GoogleOther-Image"),
    SLICE("GoogleOther-Video"),
    SLICE("GPTBot"),
    SLICE("HenkBot"),
    SLICE("iAskBot"),
    SLICE("iaskspider"),
    SLICE("IbouBot"),
    SLICE("ICC-Crawler"),
    SLICE("ImagesiftBot"),
    SLICE("imageSpider"),
    SLICE("img2dataset"),
    SLICE("ISSCyberRiskCrawler"),
    SLICE("kagi-fetcher"),
    SLICE("Kimi-User"),
    SLICE("KlaviyoAIBot"),
    SLICE("KunatoCrawler"),
    SLICE("laion-huggingface-processor"),
    SLICE("LAIONDownloader"),
    SLICE("Lightpanda"),
    SLICE("LinerBot"),
    SLICE("LinkupBot"),
    SLICE("Manus-User"),
    SLICE("meta-externalagent"),
    SLICE("meta-externalfetcher"),
    SLICE("meta-webindexer"),
    SLICE("MistralAI-User"),
    SLICE("Mozilla-Tabstack"),
    SLICE("MyCentralAIScraperBot"),
    SLICE("NagetBot"),
    SLICE("newsai"),
    SLICE("NotebookLM"),
    SLICE("NovaAct"),
    SLICE("OAI-SearchBot"),
    SLICE("omgili"),
    SLICE("omgilibot"),
    SLICE("OpenAI"),
    SLICE("opencode"),
    SLICE("PanguBot"),
    SLICE("Panscient"),
    SLICE("Perplexity-User"),
    SLICE("PerplexityBot"),
    SLICE("PetalBot"),
    SLICE("PhindBot"),
    SLICE("Poggio-Citations"),
    SLICE("QualifiedBot"),
    SLICE("Querit-SearchBot"),
    SLICE("QueritBot"),
    SLICE("QuillBot"),
    SLICE("Reflectionbot"),
    SLICE("SBIntuitionsBot"),
    SLICE("Scrapy"),
    SLICE("SemrushBot-OCOB"),
    SLICE("SemrushBot-SWA"),
    SLICE("Shap-User"),
    SLICE("ShapBot"),
    SLICE("TavilyBot"),
    SLICE("TerraCotta"),
    SLICE("Thinkbot"),
    SLICE("TikTokSpider"),
    SLICE("Timpibot"),
    SLICE("TongyiBot"),
    SLICE("TwinAgent"),
    SLICE("UseAI"),
    SLICE("VelenPublicWebCrawler"),
    SLICE("WARDBot"),
    SLICE("Webzio-Extended"),
    SLICE("wpbot"),
    SLICE("WRTNBot"),
    SLICE("YaK"),
    SLICE("YandexAdditional"),
    SLICE("YandexAdditionalBot"),
    SLICE("YiyanBot"),
    SLICE("YouBot"),
    SLICE("ZanistaBot"),
};

/* Names that are more than one word of User-Agent. */
static const struct slice phrases[] = {
    SLICE("bigsur.ai"),
    SLICE("ChatGPT Agent"),
    SLICE("Datenbank Crawler"),
    SLICE("Echobot Bot"),
    SLICE("Kangaroo Bot"),
    SLICE("Linguee Bot"),
    SLICE("netEstate Imprint Crawler"),
    SLICE("Poseidon Research Crawler"),
    SLICE("Sidetrade indexer bot"),
    SLICE("Terra Cotta"),
};

#define WORD_COUNT   (sizeof(words) / sizeof(*words))
#define PHRASE_COUNT (sizeof(phrases) / sizeof(*phrases))

/* The names themselves have hyphens in them: "GPTBot" must not be found in "NotGPTBot-like". */
static bool in_word(char c)
{
    c = slice_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool word_at(struct slice text, size_t at, struct slice word)
{
    assert(at <= text.len && word.len > 0);
    return text.len - at >= word.len && slice_lower(text.data[at]) == slice_lower(word.data[0]) &&
           (text.len - at == word.len || !in_word(text.data[at + word.len])) &&
           slice_eq_nocase((struct slice){text.data + at, word.len}, word);
}

bool ai_crawlers_word(struct slice user_agent, struct slice word)
{
    for (size_t at = 0; word.len > 0 && at < user_agent.len; at++)
        if ((at == 0 || !in_word(user_agent.data[at - 1])) && word_at(user_agent, at, word))
            return true;
    return false;
}

static bool is_excepted(const struct config *config, struct slice name)
{
    for (size_t i = 0; i < config->crawlers_except.count; i++)
        if (slice_eq_nocase(slice_of(config->crawlers_except.items[i]), name))
            return true;
    return false;
}

/* The name that is just this word. */
static struct slice name_of(const struct config *config, struct slice word)
{
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (words[i].len == word.len && slice_eq_nocase(words[i], word))
            return is_excepted(config, words[i]) ? SLICE("") : words[i];
    return SLICE("");
}

struct slice ai_crawlers_find(const struct config *config, struct slice user_agent)
{
    /* Word by word first: most visitors are people, whose User-Agent is a dozen words, and each is compared
     * with those of its length alone. Names with spaces are searched for afterwards, as they are few. */
    size_t start = 0;
    for (size_t at = 0; at <= user_agent.len; at++) {
        if (at < user_agent.len && in_word(user_agent.data[at]))
            continue;
        assert(start <= at);
        struct slice name = name_of(config, (struct slice){user_agent.data + start, at - start});
        if (name.len > 0)
            return name;
        /* One past the end in the last turn, which is not used any more. */
        start = at + 1;
    }
    for (size_t i = 0; i < PHRASE_COUNT; i++)
        if (ai_crawlers_word(user_agent, phrases[i]) && !is_excepted(config, phrases[i]))
            return phrases[i];
    for (size_t i = 0; i < config->crawlers_extra.count; i++)
        if (ai_crawlers_word(user_agent, slice_of(config->crawlers_extra.items[i])))
            return slice_of(config->crawlers_extra.items[i]);
    return SLICE("");
}

static struct slice at_position(const struct config *config, size_t at)
{
    if (at < WORD_COUNT)
        return words[at];
    at -= WORD_COUNT;
    if (at < PHRASE_COUNT)
        return phrases[at];
    at -= PHRASE_COUNT;
    return at < config->crawlers_extra.count ? slice_of(config->crawlers_extra.items[at])
                                             : (struct slice){NULL, 0};
}

bool ai_crawlers_next(const struct config *config, size_t *at, struct slice *name)
{
    assert(*at <= WORD_COUNT + PHRASE_COUNT + config->crawlers_extra.count);
    while ((*name = at_position(config, *at)).data) {
        const bool listed = (*at)++ < WORD_COUNT + PHRASE_COUNT;
        /* What the configuration adds it does not take away again. */
        if (!listed || !is_excepted(config, *name))
            return true;
    }
    return false;
}

bool ai_crawlers_listed(struct slice name)
{
    for (size_t i = 0; i < WORD_COUNT + PHRASE_COUNT; i++)
        if (slice_eq_nocase(i < WORD_COUNT ? words[i] : phrases[i - WORD_COUNT], name))
            return true;
    return false;
}

const char *const ai_crawlers_fields[] = {
    "Signature-Agent", "Signature-Input",     "Payment",           "PAYMENT-SIGNATURE",
    "X-PAYMENT",       "crawler-exact-price", "crawler-max-price", NULL};
