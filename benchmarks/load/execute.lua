-- Every request runs a trivial snippet in the next of the sessions; an answer is good when its outcome is.
local sessions = tonumber(os.getenv("LOAD_SESSIONS"))
local headers = { ["Content-Type"] = "application/json", ["Authorization"] = os.getenv("LOAD_AUTHORIZATION") }
local threads, next_session = {}, 0

function setup(thread)
    thread:set("first", #threads)
    table.insert(threads, thread)
end

function init()
    good, bad, example = 0, 0, ""
    next_session = first
end

function request()
    next_session = (next_session + 1) % sessions
    local path = "/v1/sessions/load-" .. next_session .. "/execute"
    return wrk.format("POST", path, headers, '{"code": "return 1"}')
end

function response(status, _, body)
    if status == 200 and body:find('"ok":true', 1, true) then
        good = good + 1
    else
        bad = bad + 1
        example = status .. " " .. body:sub(1, 500)
    end
end

function done(summary, latency, _)
    local all_good, all_bad, text = 0, 0, ""
    for _, thread in ipairs(threads) do
        all_good, all_bad = all_good + thread:get("good"), all_bad + thread:get("bad")
        text = thread:get("example") ~= "" and thread:get("example") or text
    end
    local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
    io.write(string.format("LOAD %d %d %d %d %.0f %.0f %.0f %.0f\n", all_good, all_bad, errors, summary.duration,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
    io.write("EXAMPLE " .. text:gsub("%s+", " ") .. "\n")
end
