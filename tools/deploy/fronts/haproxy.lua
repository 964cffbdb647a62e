-- HAProxy asks crawltab's gate whether a crawler may have a page, and tells it which pages did not arrive.
-- `crawltab front haproxy --decisions` prints the lines that use it. For HAProxy 2.6 or newer with Lua.

-- Of one hop, or said by the question itself; a client's own word for those must not stand beside it.
local left_out = {}
for name in ([[connection keep-alive proxy-connection te trailer transfer-encoding upgrade expect
        content-length host forwarded x-forwarded-for x-forwarded-host x-forwarded-method x-forwarded-uri
        x-original-host x-original-method x-original-uri x-original-url]]):gmatch("%S+") do
    left_out[name] = true
end

local charged = { [200] = true, [203] = true, [206] = true }

local function question(txn)
    local fields = {}
    for name, values in pairs(txn.http:req_get_headers()) do
        if not left_out[name] then
            local list, i = {}, 0 -- HAProxy counts from 0; their order is part of what is signed
            while values[i] do
                list[#list + 1] = values[i]
                i = i + 1
            end
            fields[name] = list
        end
    end
    local host = txn.sf:req_fhdr("host")
    fields["host"] = { host }
    fields["x-original-host"] = { host }
    fields["x-original-method"] = { txn.sf:method() }
    fields["x-original-uri"] = { txn.sf:pathq() }
    fields["x-forwarded-for"] = { txn.sf:src() }
    return fields
end

local function field(answer, name)
    local values = answer.headers[name]
    return values and values[0] or ""
end

local function refuse(txn, answer)
    local reply = txn:reply { status = answer.status }
    for name, values in pairs(answer.headers) do
        local i = 0
        while values[i] and not left_out[name] do
            reply:add_header(name, values[i])
            i = i + 1
        end
    end
    reply:set_body(answer.body)
    txn:done(reply)
end

-- ADDRESS. Sets txn.crawltab_away if the gate does not answer.
core.register_action("crawltab_ask", { "http-req" }, function(txn, address)
    local answer = core.httpclient():get {
        url = "http://127.0.0.1/", dst = address, headers = question(txn), timeout = 60000 }
    local status = answer and answer.status or 0
    -- What the gate refuses has a code; without one it is HAProxy's own word for a gate that is down.
    if status ~= 200 and (status == 0 or (status >= 502 and field(answer, "crawler-error") == "")) then
        txn:set_var("txn.crawltab_away", true)
        return
    end
    if status ~= 200 then
        refuse(txn, answer)
        return
    end
    for _, name in ipairs { "x-crawltab-agent", "x-crawltab-payment", "x-crawltab-amount" } do
        txn.http:req_set_header(name, field(answer, name))
    end
    txn:set_var("txn.crawltab_id", field(answer, "x-crawltab-payment"))
    txn:set_var("txn.crawltab_receipt", field(answer, "payment-response"))
    txn:set_var("txn.crawltab_charged", field(answer, "crawler-charged"))
end, 1)

-- ADDRESS. A page that is none costs nothing.
core.register_action("crawltab_deliver", { "http-res" }, function(txn, address)
    local id = txn:get_var("txn.crawltab_id") or ""
    local status = txn.f:status()
    if id == "" then return end
    if not charged[status] then
        local told = core.httpclient():post {
            url = "http://127.0.0.1/undelivered", dst = address, timeout = 10000,
            headers = { host = { "127.0.0.1" } },
            body = string.format('{"id":"%s","status":%d,"bytes":0}', id, status) }
        if not told or told.status ~= 200 then
            core.Warning("crawltab was not told that " .. id .. " was answered with " .. status)
        end
        return
    end
    for name, value in pairs { ["payment-response"] = txn:get_var("txn.crawltab_receipt"),
                               ["crawler-charged"] = txn:get_var("txn.crawltab_charged") } do
        if value ~= "" then txn.http:res_set_header(name, value) end
    end
    txn.http:res_set_header("cache-control", "private")
end, 1)
