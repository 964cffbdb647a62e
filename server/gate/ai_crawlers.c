#include "server/gate/ai_crawlers.h"

/* Product tokens that AI crawlers are seen to send, as of 2026-11. Crawlers for plain search (Googlebot,
 * Bingbot) are not here: name them in a rule's user_agents to charge them. */
static const struct slice known[] = {
    SLICE("AI2Bot"),
    SLICE("Ai2Bot-Dolma"),
    SLICE("aiHitBot"),
    SLICE("Amazonbot"),
    SLICE("anthropic-ai"),
    SLICE("Bytespider"),
    SLICE("CCBot"),
    SLICE("ChatGPT-User"),
    SLICE("Claude-SearchBot"),
    SLICE("Claude-User"),
    SLICE("Claude-Web"),
    SLICE("ClaudeBot"),
    SLICE("cohere-ai"),
    SLICE("cohere-training-data-crawler"),
    SLICE("Cotoyogi"),
    SLICE("Crawlspace"),
    SLICE("Diffbot"),
    SLICE("DuckAssistBot"),
    SLICE("FacebookBot"),
    SLICE("Factset_spyderbot"),
    SLICE("FirecrawlAgent"),
    SLICE("FriendlyCrawler"),
    SLICE("Gemini-Deep-Research"),
    SLICE("Google-Agent"),
    SLICE("Google-CloudVertexBot"),
    SLICE("GoogleAgent-Mariner"),
    SLICE("GoogleOther"),
    SLICE("GoogleOther-Image"),
    SLICE("GoogleOther-Video"),
    SLICE("GPTBot"),
    SLICE("iaskspider"),
    SLICE("ICC-Crawler"),
    SLICE("ImagesiftBot"),
    SLICE("img2dataset"),
    SLICE("ISSCyberRiskCrawler"),
    SLICE("Kangaroo"),
    SLICE("meta-externalagent"),
    SLICE("meta-externalfetcher"),
    SLICE("MistralAI-User"),
    SLICE("OAI-SearchBot"),
    SLICE("omgili"),
    SLICE("omgilibot"),
    SLICE("PanguBot"),
    SLICE("Panscient"),
    SLICE("Perplexity-User"),
    SLICE("PerplexityBot"),
    SLICE("PetalBot"),
    SLICE("PhindBot"),
    SLICE("QualifiedBot"),
    SLICE("SBIntuitionsBot"),
    SLICE("SemrushBot-OCOB"),
    SLICE("SemrushBot-SWA"),
    SLICE("Sidetrade"),
    SLICE("TikTokSpider"),
    SLICE("Timpibot"),
    SLICE("VelenPublicWebCrawler"),
    SLICE("Webzio-Extended"),
    SLICE("YandexAdditional"),
    SLICE("YouBot"),
};

static bool in_word(char c)
{
    c = slice_lower(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool word_at(struct slice text, size_t at, struct slice word)
{
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

static bool is_known(struct slice word)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (known[i].len == word.len && slice_eq_nocase(known[i], word))
            return true;
    return false;
}

bool ai_crawlers_know(struct slice user_agent)
{
    size_t start = 0;
    for (size_t at = 0; at <= user_agent.len; at++) {
        if (at < user_agent.len && in_word(user_agent.data[at]))
            continue;
        if (at > start && is_known((struct slice){user_agent.data + start, at - start}))
            return true;
        start = at + 1;
    }
    return false;
}
