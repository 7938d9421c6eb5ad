-- Sends the requests of a file, which are separated by NUL: over and over, or each once.
-- Arguments: the file; the number of threads; "cycle" or "once"; where to write the bodies of the replies, if anywhere.
local threads = {}

function setup(thread)
    thread:set("number", #threads)
    table.insert(threads, thread)
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local shares = tonumber(args[2])
    once = args[3] == "once"
    requests, count, position = {}, 0, 0
    local total = 0
    for raw in file:read("*a"):gmatch("[^%z]+") do
        if not once or total % shares == number then
            count = count + 1
            requests[count] = raw
        end
        total = total + 1
    end
    file:close()
    if args[4] then
        local bodies = assert(io.open(args[4] .. "." .. number, "w"))
        response = function(status, headers, body)
            bodies:write(body, "\n")
        end
    end
end

function request()
    position = position + 1
    if position > count then
        position = 1
        if once then
            exhausted = true
            wrk.thread:stop()
        end
    end
    return requests[position]
end

function done(summary, latency)
    local ran_out = false
    for _, thread in ipairs(threads) do
        ran_out = ran_out or thread:get("exhausted") == true
    end
    local errors = summary.errors
    print(string.format(
        'RESULT {"requests": %d, "micros": %d, "p50": %d, "p99": %d, "statuses": %d, "failures": %d, "exhausted": %s}',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout, tostring(ran_out)))
end
