-- SPDX-License-Identifier: MIT
--
-- work.lua - a day's work of an ordinary Lua: garbage, strings, tables,
-- coroutines, numbers, files, other programs.
--
-- Says nothing that may differ from run to run, so that what the same program
-- says on Linux is what it must say in Tern.  Works in the current folder.

-- a random number that every Lua makes alike
local seed = 42
local function random(n)
  seed = (seed * 6364136223846793005 + 1442695040888963407) & -1
  return (seed >> 33) % n
end

-- FNV-1a: one number for much output
local function hash(text)
  local h = 0xcbf29ce484222325
  for i = 1, #text do
    h = ((h ~ text:byte(i)) * 0x100000001b3) & -1
  end
  return ("%016x"):format(h)
end

-- Garbage: trees of tables, most of them dropped at once.
local function garbage(mode)
  collectgarbage(mode)
  local finalized, live = 0, {}
  local mt = { __gc = function() finalized = finalized + 1 end }
  local function tree(depth)
    if depth == 0 then return { value = random(100) } end
    return { tree(depth - 1), tree(depth - 1), name = "n" .. depth }
  end
  local function sum(t)
    if t.value then return t.value end
    return sum(t[1]) + sum(t[2])
  end
  local total = 0
  for i = 1, 60 do
    local t = setmetatable(tree(9), mt)
    total = total + sum(t)
    live[i % 8 + 1] = t
  end
  live = nil
  collectgarbage()
  collectgarbage()
  local before = collectgarbage("count")
  local block = {}
  for i = 1, 200 do block[i] = ("x"):rep(20000) .. i end
  local grown = collectgarbage("count") - before
  block = nil
  collectgarbage()
  local left = collectgarbage("count") - before
  print("garbage", mode, total, finalized, grown > 3900, left < 100)
end
garbage("incremental")
garbage("generational")
collectgarbage("incremental")

local weak = setmetatable({}, { __mode = "v" })
weak[1], weak[2] = {}, "text"
local kept = {}
weak[3] = kept
collectgarbage()
print("weak", weak[1], weak[2], weak[3] == kept)

-- Strings: build, search, replace, pack.
local words = {}
for i = 1, 5000 do
  words[i] = ("%s%d"):format(string.char(97 + random(26), 97 + random(26)),
    random(1000))
end
local text = table.concat(words, " ")
local digits, found = 0, 0
for w in text:gmatch("%a+") do
  if w:find("^q") then found = found + 1 end
end
local replaced = text:gsub("%d+", function(d)
  digits = digits + #d
  return ("<%x>"):format(d)
end)
print("strings", #text, hash(text), found, digits, hash(replaced))
print("reverse", hash(text:reverse():upper()), #text:rep(100))
local packed = string.pack("<i4 >d s2 z", -7, 3.25, "len", "zero")
print("pack", hash(packed), string.unpack("<i4 >d s2 z", packed))
print("utf8", utf8.char(228, 8364, 128512), utf8.len("\u{e4}\u{20ac}"))
print("format", ("%q %5.2f %a %g %i"):format("a\nb\0c", 3.14159, 0.1, 1e300,
  -3))

-- Tables: sort, count, nest.
local count = {}
for _, w in ipairs(words) do
  local k = w:sub(1, 2)
  count[k] = (count[k] or 0) + 1
end
local keys = {}
for k in pairs(count) do keys[#keys + 1] = k end
table.sort(keys, function(a, b)
  if count[a] ~= count[b] then return count[a] > count[b] end
  return a < b
end)
print("tables", #keys, keys[1], count[keys[1]], keys[#keys],
  hash(table.concat(keys)))
local numbers = {}
for i = 1, 20000 do numbers[i] = random(1 << 30) end
table.sort(numbers)
local sorted = true
for i = 2, #numbers do sorted = sorted and numbers[i - 1] <= numbers[i] end
print("sorted", sorted, numbers[1], numbers[10000], numbers[20000])

-- Coroutines: primes by a chain of filters; many at once; errors in them.
local function primes(limit)
  local function generate()
    return coroutine.wrap(function()
      for i = 2, limit do coroutine.yield(i) end
    end)
  end
  local function filter(p, source)
    return coroutine.wrap(function()
      for n in source do
        if n % p ~= 0 then coroutine.yield(n) end
      end
    end)
  end
  local source, sum, n = generate(), 0, 0
  while true do
    local p = source()
    if not p then return n, sum end
    n, sum = n + 1, sum + p
    source = filter(p, source)
  end
end
print("primes", primes(400))
local many, alive = {}, 0
for i = 1, 1000 do
  many[i] = coroutine.create(function(x)
    while true do x = coroutine.yield(x * i) end
  end)
end
local sum = 0
for round = 1, 5 do
  for i = 1, 1000 do
    local ok, v = coroutine.resume(many[i], round)
    if ok then sum = sum + v end
  end
end
for i = 1, 1000 do
  alive = alive + (coroutine.status(many[i]) == "suspended" and 1 or 0)
end
local ended, why = coroutine.resume(coroutine.create(function()
  error({ code = 3 })
end))
print("coroutines", sum, alive, ended, why.code)

-- Errors: messages, a stack that is too deep, values closed on the way.
local closed = 0
local ok, message = pcall(function()
  local guard <close> = setmetatable({}, { __close = function()
    closed = closed + 1
  end })
  return nil + 1
end)
print("errors", ok, message, closed)
local function deep(n) return 1 + deep(n + 1) end
ok, message = pcall(deep, 1)
print("deep", ok, (message:match("stack overflow")))
print("numbers", 7 // 2, -7 // 2, 7 % -3, 2 ^ 0.5, 1 / 0, math.mininteger,
  math.tointeger(3.0), 0x7fffffffffffffff + 1)
print("math", ("%.12f %.12f %.12f"):format(math.sin(1), math.exp(1),
  math.log(10, 2)))

-- Files: write, read back, seek, rename, remove.
local name, other = "lua.tmp", "lua.new"
local f = assert(io.open(name, "w"))
f:setvbuf("full", 1000)
for i = 1, 3000 do f:write("line ", i, " ", words[i], "\n") end
assert(f:close())
local lines, all = 0, {}
for l in io.lines(name) do
  lines = lines + 1
  all[#all + 1] = l
end
print("lines", lines, hash(table.concat(all, "\n")))
f = assert(io.open(name, "r+"))
print("size", f:seek("end"))
f:seek("set", 5)
print("numbers read", f:read("n", "l", "L"))
f:seek("set", 10000)
f:write("CHANGED")
f:seek("cur", -3)
print("back", f:read(3), f:seek())
assert(f:close())
f = assert(io.open(name, "a"))
f:write("the end")
assert(f:close())
f = assert(io.open(name, "rb"))
local content = f:read("a")
print("content", #content, hash(content), f:read("a"), f:read(1))
f:close()
print("rename", os.rename(name, other))
print("gone", io.open(name))
print("again", os.rename(name, other))
f = io.open(other)
print("same", f:read("a") == content)
f:close()
local big = assert(io.open(name, "wb"))
local chunk = ("0123456789abcdef"):rep(4096)
for i = 1, 16 do big:write(chunk, i) end
big:close()
big = io.open(name, "rb")
print("big", big:seek("end"), big:seek("set", 65536 * 15), #big:read("a"))
big:close()
print("over", os.rename(name, other))
f = io.open(other, "rb")
print("replaced", f:seek("end"))
f:close()
print("remove", os.remove(other))
print("removed", os.remove(other))
print("closed", pcall(f.read, f))
print("denied", io.open("no/such/folder", "w"))
f = io.tmpfile()
f:write("between")
f:seek("set")
print("tmpfile", f:read("a"))
f:close()
local unique = os.tmpname()
f = assert(io.open(unique, "w"))
f:write("x")
f:close()
print("tmpname", os.remove(unique))

-- The system: time, environment, other programs.
print("date", os.date("!%Y-%m-%d %H:%M:%S", 86400 * 365))
print("time", os.time({ year = 2001, month = 9, day = 9, hour = 1,
  min = 46, sec = 40 }), os.time() > 1000000000, os.clock() > 0)
print("environment", os.getenv("GREETING"), os.getenv("ABSENT"))
print("execute", os.execute("exit 7"))
print("shell", os.execute())
local p = assert(io.popen("cat input.txt", "r"))
print("popen", p:read("a"))
print("popen ended", p:close())
p = assert(io.popen("cat >piped.tmp; exit 2", "w"))
for i = 1, 2000 do p:write(i, "\n") end
print("written", p:close())
f = io.open("piped.tmp")
print("piped", hash(f:read("a")))
f:close()
os.remove("piped.tmp")
io.stderr:write("this goes to standard error\n")
os.exit(9, true)
