-- /etc/outpost/outpost.lua - 一体机配置 / configuration of one office.
--
-- 这是数据，不是程序：只有 office、city、courier、storage、limits、update、access、plugin 八个词。
-- 改完先检查，再生效。
-- This is data, not a program: office, city, courier, storage, limits, update, access, plugin.
-- After a change:
--
--     outpost check --config /etc/outpost/outpost.lua
--     outpost reload --config /etc/outpost/outpost.lua
--
-- 时长写作 "250ms" "10s" "5m" "2h" "1d"；相对路径从本文件所在目录算起。
-- Durations are written like that; relative paths begin at the folder of this file.

-- 本司法所。id 是所有事件身份的一部分，启用后不得更改。
-- This office. Its id is part of every event's identity: never change it once in use.
office {
    id = "350105-003",
    name = "示范司法所",
    timezone = "Asia/Shanghai",
}

-- 市级平台。去掉本段前的 "--" 即启用；不启用则数据只存本机，以后再传。
-- verifier 是市级平台的公钥文件（outpost-city keygen 生成的 .pub）：只有它签名的回执才算送达。
-- The city's platform. Remove the "--" to use it; without it everything stays here for later.
-- verifier is the city's public key file (the .pub of outpost-city keygen): only receipts that it
-- signed count as delivered.
--
-- city {
--     url = "mqtts://city.example:8883",
--     verifier = "city.key.pub",
--     ca = "ca.pem",                   -- 平台证书的签发机构 / who signed the broker's certificate
--     cert = "alarm.pem",              -- 本所报警连接的证书，与 key 成对 / certificate for alarms, with key
--     key = "alarm.key",
--     bulk_cert = "bulk.pem",          -- 本所其余数据连接的证书 / certificate for all else
--     bulk_key = "bulk.key",
--     -- username = "350105-003",      -- 或用口令，与 password_file 成对 / or a password, with its file
--     -- password_file = "mqtt.password",
--     -- bandwidth = "512kbit/s",      -- 积压数据的限速，报警不受限 / for a backlog; never for alarms
-- }

-- 证据文件上传到市级平台（tus 1.0.0）。去掉 "--" 即启用，须同时有 city。断线后从平台已收到的字节续传；
-- 平台核对两种摘要后给签名回执，收到回执才算送达。事件本身不受 select 影响，照常全部上报。
-- Evidence files for the city (tus 1.0.0); needs city too. After any interruption it goes on where
-- the city has got to; only the city's signed receipt counts. Events go to the city in any case.
--
-- courier {
--     url = "https://city.example:8443/files/",
--     ca = "ca.pem",
--     cert = "bulk.pem",
--     key = "bulk.key",
--     select = { "important", "case" },-- 上传哪些类别 / which classes
--     hours = {                        -- 本所时间；时段之外不传，不写则随时 / else nothing goes
--         "22:00-06:00 4Mbit/s",
--         "06:00-22:00 512kbit/s",
--     },
-- }

-- 存储。以下为默认值，通常不用改。quota 是日志在磁盘上的上限；其中 reserve 只留给报警和记录；
-- 空间不足时先删旧的遥测数据（每次都有记录、可验证），报警和记录从不删除。
-- Room on disk; these are the defaults. quota is what the journal may take; of it reserve is only
-- for alarms and records. When it gets scarce old telemetry goes first, each time on record;
-- alarms and records never go.
--
-- storage {
--     quota = "4GB",                   -- 至少 64MB / at least 64MB
--     reserve = "64MB",                -- 8MB 到 quota 的四分之一 / 8MB to a quarter of quota
--     keep = { telemetry = "7d" },     -- 平台已收到的遥测至少留多久 / how long what the city has stays
--     -- 图片、视频、原始数据另有上限；其中 reserve 只留给重要的和案件的。
--     -- Pictures, clips and captures have room of their own; reserve: for important ones, cases.
--     blobs = { quota = "4GB", reserve = "256MB" },
-- }

-- 每个插件每秒最多说多少。以下为默认值。说得太快的插件要等，不丢数据，也不影响别的插件。
-- What a plugin may say a second; these are the defaults. One that says more has to wait: nothing
-- is lost, and the others do not notice.
--
-- limits {
--     messages = 2000,                 -- 事件和写入的条数 / events and store writes
--     bytes = "2MB",
-- }

-- 更新。outpost reload 之后新版本先试运行；期间崩溃、无应答或读不到设备，自动回到旧版本。
-- Updates. After outpost reload a new version is on trial; when it crashes, is silent or stops
-- reading its devices meanwhile, the old one runs again by itself.
--
-- update {
--     trial = "90s",                   -- 2s 到 1h / 2s to 1h
-- }

-- 人。本机 Unix 用户的角色，用于 outpost do 和 show。只有 officer 可作决定；角色互不包含；
-- root 和运行 outpost 的用户只是 technician。还要能连接 keeper.sock。每次都有记录。
-- People: which Unix users of this machine have which role, for outpost do and show. Only officers
-- may decide; no role contains another; root and the user who runs outpost are technicians. They
-- must be able to connect to keeper.sock (etc/systemd/people.conf). Each request is on record.
--
-- access {
--     officer = { "zhang" },
--     social_worker = { "li" },
--     technician = { "wang" },
-- }

-- 设备。每台设备一段：plugin "插件名" "实例名" { 设置 }。实例名用小写字母、数字、- 和 _，启用后不要改。
-- 全部设置见 plugins/ 下各插件的 README.md。
-- Devices, one block each: plugin "name" "instance" { settings }. Instance names have small
-- letters, digits, "-" and "_"; keep them. All settings are in plugins/NAME/README.md.
plugin "wristband" "gate" {
    url = "modbus-tcp://192.168.1.50", -- 基站地址 / where the base station is
    profile = "monnit-tcp",            -- 基站型号，或自己的文件 "./my-station.lua" / its model, or your file
    -- station = "10597059",           -- 基站序列号；不填则认第一次见到的 / its serial; else the first seen
    -- poll = "1s",                    -- 多久读一次 / how often it is read
    -- lost_after = "5m",              -- 多久没有信号算失联 / not heard for this long is lost
    -- record = true,                  -- 保留设备原始收发数据（报警、出错、崩溃时存 30 天）/ keep device bytes
    -- low_battery = 25,               -- 电量低于等于此百分比报警 / percent, at or below
    -- canary = "11730999",            -- 固定在所内的对照腕带 / a wristband fixed in the office
    -- bands = {                       -- 腕带号 = 对象编号 / tag id = id of the person
    --     ["11730945"] = "3501050012",
    -- },
}

-- 串口基站示例 / a base station on a serial line:
--
-- plugin "wristband" "yard" {
--     url = "modbus-rtu:///dev/ttyS1?baud=19200&parity=N&stop=1",
--     profile = "monnit-serial",
-- }

-- 海康威视人脸终端示例（报到、签到）。全部设置见 plugins/face-isapi/README.md。
-- A Hikvision face terminal. All settings are in plugins/face-isapi/README.md.
--
-- plugin "face-isapi" "hall" {
--     url = "https://192.168.1.64",   -- 终端地址 / where the terminal is
--     insecure = true,                -- 终端自带证书 / its certificate is its own
--     user = "outpost",               -- 在终端上为本机单独建的用户 / a user of its own for this box
--     password = "file:hall.password",-- 密码文件，chmod 640；也可直接写密码 / a file, or the password itself
--     listen = "http://0.0.0.0:8088", -- 终端推送到本机的端口 / where it may push to
--     push_to = "http://192.168.1.10:8088/isapi", -- 终端看到的本机地址 / the same as the terminal sees it
-- }

-- 执法记录仪采集站示例。视频很大：先把上面的 storage.blobs.quota 调大。
-- 全部设置见 plugins/bodycam-dock/README.md。
-- A dock of body cameras. Footage is large: set storage.blobs.quota above first.
-- All settings are in plugins/bodycam-dock/README.md.
--
-- plugin "bodycam-dock" "station" {
--     url = "ftp://192.168.1.70?passive=50000-50100",
--     -- url = "/media/dock",         -- 或文件夹、sftp、http / or a folder, sftp, http
--     path = "/video",                -- 服务器上的文件夹 / folder on the server
--     user = "outpost",               -- 只读用户 / one that may read only
--     password = "file:dock.password",-- 密码文件，chmod 640 / a file
--     keep = "184d",                  -- 普通视频至少保存多久 / ordinary footage stays at least so long
--     keep_important = "1095d",       -- 重要视频 / important footage
-- }
