-- people - who the terminal knows: requests and answers about persons and their faces. Pure.
--
-- A number is text of at most 32 characters, and its leading zeros matter. Names go to the terminal
-- when somebody has them put there, and are not read back.
local careless = require "careless"
local json = require "json"

local people = {}

people.PAGE = 30
people.FACE_MAX = 200 * 1024 -- bytes of a picture

local ACCESS = "/ISAPI/AccessControl/UserInfo/"
local FACES = "/ISAPI/Intelligent/FDLib/"

people.SEARCH = ACCESS .. "Search?format=json"
people.RECORD = ACCESS .. "Record?format=json"
people.MODIFY = ACCESS .. "Modify?format=json"
people.DELETE = ACCESS .. "Delete?format=json"
people.FACE = FACES .. "FaceDataRecord?format=json"
people.FACE_DELETE = FACES .. "FDSearch/Delete?format=json&FDID=1&faceLibType=blackFD"

function people.search(position, id)
    return json.encode { UserInfoSearchCond = { searchID = id, searchResultPosition = position,
        maxResults = people.PAGE } }
end

local function small(value)
    local whole = math.tointeger(tonumber(value) or 0.5)
    return whole and whole >= 0 and whole <= 1000 and whole or 0
end

-- { status =, list = { { number =, faces =, cards =, fingers =, valid = } } } of an answer.
function people.page(body)
    local object, why = careless.json(body)
    local said = type(object) == "table" and object.UserInfoSearch
    if type(said) ~= "table" then
        return nil, why or "expected a UserInfoSearch, got something else"
    end
    local page = { status = said.responseStatusStrg, list = {} }
    for _, one in ipairs(type(said.UserInfo) == "table" and said.UserInfo or {}) do
        if type(one) == "table" and type(one.employeeNo) == "string" and #one.employeeNo <= 32 then
            local valid = type(one.Valid) == "table" and one.Valid or {}
            page.list[#page.list + 1] = { number = one.employeeNo, faces = small(one.numOfFace),
                cards = small(one.numOfCard), fingers = small(one.numOfFP),
                valid = valid.enable ~= false }
        end
    end
    return page
end

local function list(value)
    local array = json.array()
    array[1] = value
    return array
end

-- A person as the terminal is told. `from` and `until` are its local times.
function people.record(person)
    return json.encode { UserInfo = {
        employeeNo = person.number, name = person.name or person.number, userType = "normal",
        Valid = { enable = true, beginTime = person.from, endTime = person.to, timeType = "local" },
        doorRight = "1", RightPlan = list { doorNo = 1, planTemplateNo = "1" },
    } }
end

function people.delete(number)
    return json.encode { UserInfoDelCond = { EmployeeNoList = list { employeeNo = number } } }
end

-- The parts of a face's upload, in the order that terminals insist on.
function people.face(number, picture)
    return {
        { name = "FaceDataRecord", type = "application/json",
            body = json.encode { faceLibType = "blackFD", FDID = "1", FPID = number } },
        { name = "FaceImage", filename = "face.jpg", type = "image/jpeg", body = picture },
    }
end

function people.face_delete(number)
    return json.encode { FPID = list { value = number } }
end

-- What is wrong with a picture, or nil.
function people.fault(picture)
    if not picture or picture:sub(1, 2) ~= "\xFF\xD8" then
        return "picture: expected a JPEG in base64"
    end
    if #picture > people.FACE_MAX then
        return ("picture: expected at most %d bytes, got %d"):format(people.FACE_MAX, #picture)
    end
end

-- Those of the roster whom the terminal does not know, those it knows beyond that, and those
-- without a face; each sorted. `roster` is the setting people, `known` what the terminal says.
function people.compare(roster, known)
    local answer, there = { missing = {}, beyond = {}, faceless = {} }, {}
    for _, one in ipairs(known) do
        there[one.number] = one
        if not roster[one.number] then
            table.insert(answer.beyond, one.number)
        elseif one.faces == 0 then
            table.insert(answer.faceless, one.number)
        end
    end
    for number in pairs(roster) do
        if not there[number] then
            table.insert(answer.missing, number)
        end
    end
    for _, numbers in pairs(answer) do
        table.sort(numbers)
    end
    return answer
end

return people
