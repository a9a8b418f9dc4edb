-- What wrk sends, in every row. LOAD_REQUESTS names a file of whole HTTP requests, each after a line
-- with its length in bytes. They are sent in turn, again and again; each thread of wrk begins at
-- another place. The last line that is printed is for the harness: figures parted by tabs, times in
-- microseconds.

local threads = 0

function setup(thread)
    thread:set("number", threads)
    threads = threads + 1
end

local requests = {}
local position

function init()
    local file = assert(io.open(assert(os.getenv("LOAD_REQUESTS")), "rb"))
    local length = file:read("*l")
    while length do
        requests[#requests + 1] = assert(file:read(tonumber(length)))
        length = file:read("*l")
    end
    file:close()
    position = number * 17
end

function request()
    position = position % #requests + 1
    return requests[position]
end

function done(summary, latency)
    local errors = summary.errors
    local broken = errors.connect + errors.read + errors.write + errors.timeout
    io.write(table.concat({
        "MEASURED", summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.status, broken,
    }, "\t"), "\n")
end
