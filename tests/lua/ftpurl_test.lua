local ftpurl = require "ftpurl"
local t = require "testing"

t.test("an_address_that_can_be_meant_has_no_fault", function()
    for _, url in ipairs { "ftp://dock?passive=50000-50100", "ftpes://10.0.0.8:2121/?active=40000",
        "ftps://[2001:db8::1]?passive=1024-65535", "sftp://dock", "sftp://10.0.0.8:2222/" } do
        t.equal(ftpurl.fault(url), nil)
    end
end)

t.test("an_address_that_cannot_be_meant_is_told_with_what_was_expected", function()
    for url, fault in pairs {
        ["http://h"] =
            "expected ftp://host, ftpes://host, ftps://host or sftp://host, got something else",
        ["sftp://h?passive=5000"] = 'expected no options behind sftp://host, got "passive=5000"',
        ["sftp://h:0"] = 'expected host:port with a port of 1 to 65535, got "h:0"',
        ["ftp://me:secret@h?passive=5000"] =
            "expected no user in it: there are settings for user and password",
        ["ftp://h:0?passive=5000"] = 'expected host:port with a port of 1 to 65535, got "h:0"',
        ["ftp://h"] = 'expected the ports of its data once, such as "?passive=50000-50100", got ""',
        ["ftp://h?passive=5000&active=5001"] =
            'expected the ports of its data once, such as "?passive=50000-50100", '
            .. 'got "passive=5000&active=5001"',
        ["ftp://h?port=5000"] = 'expected passive= or active= behind the "?", got "port=5000"',
        ["ftp://h?passive=5000-4999"] =
            'expected ports such as 50000-50100, from 1024 to 65535, got "passive=5000-4999"',
        ["ftp://h?passive=21"] =
            'expected ports such as 50000-50100, from 1024 to 65535, got "passive=21"',
        ["ftp://h?passive=5000-"] =
            'expected ports such as 50000-50100, from 1024 to 65535, got "passive=5000-"',
        ["ftp://h/2026?passive=5000"] = 'expected passive= or active= behind the "?", '
            .. 'got "2026?passive=5000"',
    } do
        t.equal(ftpurl.fault(url), fault)
    end
end)

return t.finish()
