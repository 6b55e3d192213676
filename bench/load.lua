-- wrk's requests.  Arguments after --: what to ask (show, create, get or post), the file of agents (a line each: API key and
-- task id), and the number of the run, which keeps idempotency keys and addresses of one run apart from those of another.
-- Rate windows stay on: an address is used for 50 requests to a path, half of what a minute allows.

local threads = 0

function setup(thread)
	thread:set("tid", threads)	-- a global there, so no local here may have its name
	threads = threads + 1
end

local function read_agents(path)
	local keys, tasks = {}, {}

	for line in io.lines(path) do
		local key, task = line:match("^(%S+) (%S+)$")

		keys[#keys + 1] = key
		tasks[#tasks + 1] = task
	end
	return keys, tasks
end

function init(args)
	kind, run, n = args[1], tonumber(args[3]), 0
	keys, tasks = read_agents(args[2])
	count = math.floor(#keys / 2)	-- creates: the other half is pgbench's
	deadline = os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 86400)
	body = '{"title":"Verify storefront signage","description":"Take a clear photo of the sign at 123 Main St",'
		.. '"location":{"lat":40.7128,"lng":-74.006,"address":"123 Main St, New York, NY"},"reward_usd":10,'
		.. '"deadline":"' .. deadline .. '","proof_requirements":["Photo of storefront sign","GPS-stamped image"],'
		.. '"task_type":"VERIFICATION"}'
end

local function address(group)
	return string.format("10.%d.%d.%d", run * 8 + tid, math.floor(group / 250) % 250, group % 250)
end

local function headers(agent, group)
	return { ["X-API-Key"] = keys[agent], ["X-Forwarded-For"] = address(group) }
end

local function get(path, agent, group)
	return wrk.format("GET", path, headers(agent, group))
end

local function post(path, agent)
	local all = headers(agent, math.floor(n / 50))

	all["Content-Type"] = "application/json"
	all["Idempotency-Key"] = string.format("%d-%d-%d", run, tid, n)
	return wrk.format("POST", path, all, body)
end

function request()
	local agent

	n = n + 1
	agent = n * 8 + tid
	if kind == "create" then
		return post("/api/v1/tasks", agent % count + 1)
	elseif kind == "post" then
		return post("/empty", agent % count + 1)
	elseif kind == "show" then
		agent = agent % #keys + 1
		return get("/api/v1/tasks/" .. tasks[agent], agent, math.floor(n * 8 / #keys / 50))
	end
	return get(kind == "health" and "/healthz" or "/empty", 1, math.floor(n / 50))
end

-- Requests a second, median and 99th percentile in ms, and how many failed.
function done(summary, latency)
	local e = summary.errors

	io.write(string.format("RESULT %.0f %.2f %.2f %d\n", summary.requests / summary.duration * 1e6,
		latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		e.connect + e.read + e.write + e.status + e.timeout))
end
