-- codes - what the two numbers of a record mean: always the pair (major, minor), never one alone.
--
-- A row is the vendor's name and, where it is about a person, a door or the case, what checkin
-- makes of it: "NAME", "NAME verified METHOD", "NAME rejected METHOD [REASON]", "NAME door STATE".
-- "unmatched" is a comparison that found nobody: rejected when a person was named, else an
-- unknown person. What has no row is a terminal.record with its numbers, and nothing is guessed.
local codes = {}

local CODES = {}

-- Alarms.
CODES[1] = {
    [1024] = "ALARMIN_SHORT_CIRCUIT", [1025] = "ALARMIN_BROKEN_CIRCUIT",
    [1026] = "ALARMIN_EXCEPTION", [1027] = "ALARMIN_RESUME", [1028] = "HOST_DESMANTLE_ALARM tamper",
    [1029] = "HOST_DESMANTLE_RESUME tamper_restored", [1030] = "CARD_READER_DESMANTLE_ALARM tamper",
    [1031] = "CARD_READER_DESMANTLE_RESUME tamper_restored", [1032] = "CASE_SENSOR_ALARM",
    [1033] = "CASE_SENSOR_RESUME", [1034] = "STRESS_ALARM duress",
    [1035] = "OFFLINE_ECENT_NEARLY_FULL", [1036] = "CARD_MAX_AUTHENTICATE_FAIL",
    [1037] = "SD_CARD_FULL", [1038] = "LINKAGE_CAPTURE_PIC",
    [1039] = "SECURITY_MODULE_DESMANTLE_ALARM tamper",
    [1040] = "SECURITY_MODULE_DESMANTLE_RESUME tamper_restored", [1043] = "FACE_IMAGE_QUALITY_LOW",
    [1044] = "FINGE_RPRINT_QUALITY_LOW", [1045] = "FIRE_IMPORT_SHORT_CIRCUIT",
    [1046] = "FIRE_IMPORT_BROKEN_CIRCUIT", [1047] = "FIRE_IMPORT_RESUME",
    [1048] = "FIRE_BUTTON_TRIGGER", [1049] = "FIRE_BUTTON_RESUME",
    [1052] = "EMERGENCY_BUTTON_TRIGGER", [1053] = "EMERGENCY_BUTTON_RESUME",
    [1090] = "LEGAL_EVENT_NEARLY_FULL",
}

-- Faults, and what ended them.
CODES[2] = {
    [39] = "NET_BROKEN", [58] = "RS485_DEVICE_ABNORMAL", [59] = "RS485_DEVICE_REVERT",
    [1024] = "DEV_POWER_ON restarted", [1025] = "DEV_POWER_OFF",
    [1026] = "WATCH_DOG_RESET restarted", [1027] = "LOW_BATTERY", [1028] = "BATTERY_RESUME",
    [1029] = "AC_OFF", [1030] = "AC_RESUME", [1031] = "NET_RESUME", [1032] = "FLASH_ABNORMAL",
    [1033] = "CARD_READER_OFFLINE", [1034] = "CARD_READER_RESUME", [1039] = "SECURITY_MODULE_OFF",
    [1040] = "SECURITY_MODULE_RESUME", [1053] = "ID_CARD_READER_NOT_CONNECT",
    [1054] = "ID_CARD_READER_RESUME", [1057] = "CAMERA_NOT_CONNECT", [1058] = "CAMERA_RESUME",
    [1064] = "LOCAL_LOGIN_LOCK", [1065] = "LOCAL_LOGIN_UNLOCK", [1080] = "4G_MOUDLE_ONLINE",
    [1081] = "4G_MOUDLE_OFFLINE",
}

-- What somebody did.
CODES[3] = {
    [80] = "LOCAL_LOGIN", [81] = "LOCAL_LOGOUT", [90] = "LOCAL_UPGRADE", [112] = "REMOTE_LOGIN",
    [113] = "REMOTE_LOGOUT", [121] = "REMOTE_ARM", [122] = "REMOTE_DISARM", [123] = "REMOTE_REBOOT",
    [126] = "REMOTE_UPGRADE", [134] = "REMOTE_CFGFILE_OUTPUT", [135] = "REMOTE_CFGFILE_INTPUT",
    [214] = "REMOTE_ALARMOUT_OPEN_MAN", [215] = "REMOTE_ALARMOUT_CLOSE_MAN",
    [1024] = "REMOTE_OPEN_DOOR", [1025] = "REMOTE_CLOSE_DOOR", [1026] = "REMOTE_ALWAYS_OPEN",
    [1027] = "REMOTE_ALWAYS_CLOSE", [1028] = "REMOTE_CHECK_TIME", [1029] = "NTP_CHECK_TIME",
    [1030] = "REMOTE_CLEAR_CARD", [1031] = "REMOTE_RESTORE_CFG", [1032] = "ALARMIN_ARM",
    [1033] = "ALARMIN_DISARM", [1034] = "LOCAL_RESTORE_CFG", [1035] = "REMOTE_CAPTURE_PIC",
    [1036] = "MOD_NET_REPORT_CFG", [1039] = "UNLOCK_PASSWORD_OPEN_DOOR",
    [1042] = "NORMAL_CFGFILE_INPUT", [1043] = "NORMAL_CFGFILE_OUTTPUT",
    [1046] = "LOCAL_USB_UPGRADE", [1053] = "REMOTE_CONTROL_OPEN_DOOR",
}

-- What happened.
CODES[5] = {
    [1] = "LEGAL_CARD_PASS verified card", [2] = "CARD_AND_PSW_PASS verified card+password",
    [3] = "CARD_AND_PSW_FAIL rejected card+password mismatch",
    [4] = "CARD_AND_PSW_TIMEOUT rejected card+password timeout",
    [5] = "CARD_AND_PSW_OVER_TIME rejected card+password too_many_tries",
    [6] = "CARD_NO_RIGHT rejected card no_right",
    [7] = "CARD_INVALID_PERIOD rejected card wrong_period",
    [8] = "CARD_OUT_OF_DATE rejected card expired", [9] = "INVALID_CARD unknown_person card",
    [10] = "ANTI_SNEAK_FAIL rejected - anti_passback",
    [11] = "INTERLOCK_DOOR_NOT_CLOSE rejected - interlock",
    [12] = "NOT_BELONG_MULTI_GROUP rejected - no_right",
    [13] = "INVALID_MULTI_VERIFY_PERIOD rejected - wrong_period",
    [14] = "MULTI_VERIFY_SUPER_RIGHT_FAIL rejected - no_right",
    [15] = "MULTI_VERIFY_REMOTE_RIGHT_FAIL rejected - no_right",
    [16] = "MULTI_VERIFY_SUCCESS verified -", [17] = "LEADER_CARD_OPEN_BEGIN",
    [18] = "LEADER_CARD_OPEN_END", [19] = "ALWAYS_OPEN_BEGIN", [20] = "ALWAYS_OPEN_END",
    [21] = "LOCK_OPEN door unlocked", [22] = "LOCK_CLOSE door locked",
    [23] = "DOOR_BUTTON_PRESS door button", [24] = "DOOR_BUTTON_RELEASE",
    [25] = "DOOR_OPEN_NORMAL door open", [26] = "DOOR_CLOSE_NORMAL door closed",
    [27] = "DOOR_OPEN_ABNORMAL door forced", [28] = "DOOR_OPEN_TIMEOUT door held_open",
    [29] = "ALARMOUT_ON", [30] = "ALARMOUT_OFF", [31] = "ALWAYS_CLOSE_BEGIN",
    [32] = "ALWAYS_CLOSE_END", [33] = "MULTI_VERIFY_NEED_REMOTE_OPEN",
    [34] = "MULTI_VERIFY_SUPERPASSWD_VERIFY_SUCCESS", [35] = "MULTI_VERIFY_REPEAT_VERIFY",
    [36] = "MULTI_VERIFY_TIMEOUT rejected - timeout", [37] = "DOORBELL_RINGING",
    [38] = "FINGERPRINT_COMPARE_PASS verified fingerprint",
    [39] = "FINGERPRINT_COMPARE_FAIL unmatched fingerprint",
    [40] = "CARD_FINGERPRINT_VERIFY_PASS verified card+fingerprint",
    [41] = "CARD_FINGERPRINT_VERIFY_FAIL rejected card+fingerprint mismatch",
    [42] = "CARD_FINGERPRINT_VERIFY_TIMEOUT rejected card+fingerprint timeout",
    [43] = "CARD_FINGERPRINT_PASSWD_VERIFY_PASS verified card+fingerprint+password",
    [44] = "CARD_FINGERPRINT_PASSWD_VERIFY_FAIL rejected card+fingerprint+password mismatch",
    [45] = "CARD_FINGERPRINT_PASSWD_VERIFY_TIMEOUT rejected card+fingerprint+password timeout",
    [46] = "FINGERPRINT_PASSWD_VERIFY_PASS verified fingerprint+password",
    [47] = "FINGERPRINT_PASSWD_VERIFY_FAIL rejected fingerprint+password mismatch",
    [48] = "FINGERPRINT_PASSWD_VERIFY_TIMEOUT rejected fingerprint+password timeout",
    [49] = "FINGERPRINT_INEXISTENCE unknown_person fingerprint", [50] = "CARD_PLATFORM_VERIFY",
    [51] = "CALL_CENTER", [52] = "FIRE_RELAY_TURN_ON_DOOR_ALWAYS_OPEN",
    [53] = "FIRE_RELAY_RECOVER_DOOR_RECOVER_NORMAL",
    [54] = "FACE_AND_FP_VERIFY_PASS verified face+fingerprint",
    [55] = "FACE_AND_FP_VERIFY_FAIL rejected face+fingerprint mismatch",
    [56] = "FACE_AND_FP_VERIFY_TIMEOUT rejected face+fingerprint timeout",
    [57] = "FACE_AND_PW_VERIFY_PASS verified face+password",
    [58] = "FACE_AND_PW_VERIFY_FAIL rejected face+password mismatch",
    [59] = "FACE_AND_PW_VERIFY_TIMEOUT rejected face+password timeout",
    [60] = "FACE_AND_CARD_VERIFY_PASS verified face+card",
    [61] = "FACE_AND_CARD_VERIFY_FAIL rejected face+card mismatch",
    [62] = "FACE_AND_CARD_VERIFY_TIMEOUT rejected face+card timeout",
    [63] = "FACE_AND_PW_AND_FP_VERIFY_PASS verified face+password+fingerprint",
    [64] = "FACE_AND_PW_AND_FP_VERIFY_FAIL rejected face+password+fingerprint mismatch",
    [65] = "FACE_AND_PW_AND_FP_VERIFY_TIMEOUT rejected face+password+fingerprint timeout",
    [66] = "FACE_CARD_AND_FP_VERIFY_PASS verified face+card+fingerprint",
    [67] = "FACE_CARD_AND_FP_VERIFY_FAIL rejected face+card+fingerprint mismatch",
    [68] = "FACE_CARD_AND_FP_VERIFY_TIMEOUT rejected face+card+fingerprint timeout",
    [69] = "EMPLOYEENO_AND_FP_VERIFY_PASS verified number+fingerprint",
    [70] = "EMPLOYEENO_AND_FP_VERIFY_FAIL rejected number+fingerprint mismatch",
    [71] = "EMPLOYEENO_AND_FP_VERIFY_TIMEOUT rejected number+fingerprint timeout",
    [72] = "EMPLOYEENO_AND_FP_AND_PW_VERIFY_PASS verified number+fingerprint+password",
    [73] = "EMPLOYEENO_AND_FP_AND_PW_VERIFY_FAIL rejected number+fingerprint+password mismatch",
    [74] = "EMPLOYEENO_AND_FP_AND_PW_VERIFY_TIMEOUT rejected number+fingerprint+password timeout",
    [75] = "FACE_VERIFY_PASS verified face", [76] = "FACE_VERIFY_FAIL unmatched face",
    [77] = "EMPLOYEENO_AND_FACE_VERIFY_PASS verified number+face",
    [78] = "EMPLOYEENO_AND_FACE_VERIFY_FAIL rejected number+face mismatch",
    [79] = "EMPLOYEENO_AND_FACE_VERIFY_TIMEOUT rejected number+face timeout",
    [80] = "FACE_RECOGNIZE_FAIL unmatched face", [81] = "FIRSTCARD_AUTHORIZE_BEGIN",
    [82] = "FIRSTCARD_AUTHORIZE_END", [83] = "DOORLOCK_INPUT_SHORT_CIRCUIT",
    [84] = "DOORLOCK_INPUT_BROKEN_CIRCUIT", [85] = "DOORLOCK_INPUT_EXCEPTION",
    [86] = "DOORCONTACT_INPUT_SHORT_CIRCUIT", [87] = "DOORCONTACT_INPUT_BROKEN_CIRCUIT",
    [88] = "DOORCONTACT_INPUT_EXCEPTION", [89] = "OPENBUTTON_INPUT_SHORT_CIRCUIT",
    [90] = "OPENBUTTON_INPUT_BROKEN_CIRCUIT", [91] = "OPENBUTTON_INPUT_EXCEPTION",
    [92] = "DOORLOCK_OPEN_EXCEPTION", [93] = "DOORLOCK_OPEN_TIMEOUT",
    [94] = "FIRSTCARD_OPEN_WITHOUT_AUTHORIZE rejected card no_right",
    [95] = "CALL_LADDER_RELAY_BREAK", [96] = "CALL_LADDER_RELAY_CLOSE",
    [97] = "AUTO_KEY_RELAY_BREAK", [98] = "AUTO_KEY_RELAY_CLOSE", [99] = "KEY_CONTROL_RELAY_BREAK",
    [100] = "KEY_CONTROL_RELAY_CLOSE", [101] = "EMPLOYEENO_AND_PW_PASS verified number+password",
    [102] = "EMPLOYEENO_AND_PW_FAIL rejected number+password password",
    [103] = "EMPLOYEENO_AND_PW_TIMEOUT rejected number+password timeout",
    [104] = "HUMAN_DETECT_FAIL rejected face liveness",
    [105] = "PEOPLE_AND_ID_CARD_COMPARE_PASS verified face+card",
    [112] = "PEOPLE_AND_ID_CARD_COMPARE_FAIL rejected face+card mismatch",
    [113] = "CERTIFICATE_BLOCKLIST rejected - blocked", [114] = "LEGAL_MESSAGE",
    [115] = "ILLEGAL_MESSAGE", [116] = "MAC_DETECT",
    [117] = "DOOR_OPEN_OR_DORMANT_FAIL rejected - not_told",
    [118] = "AUTH_PLAN_DORMANT_FAIL rejected - wrong_period",
    [119] = "CARD_ENCRYPT_VERIFY_FAIL rejected card mismatch", [131] = "HEART_BEAT",
    [133] = "TRAILING", [134] = "REVERSE_ACCESS", [135] = "FORCE_ACCESS",
    [136] = "CLIMBING_OVER_GATE", [137] = "PASSING_TIMEOUT", [138] = "INTRUSION_ALARM",
    [139] = "FREE_GATE_PASS_NOT_AUTH", [142] = "LOCAL_FACE_MODELING_FAIL", [143] = "STAY_EVENT",
    [150] = "PSW_VERIFY_FAIL rejected password password",
    [151] = "PASSWORD_MISMATCH rejected password password",
    [152] = "EMPLOYEE_NO_NOT_EXIST unknown_person number",
    [153] = "COMBINED_VERIFY_PASS verified -", [154] = "COMBINED_VERIFY_TIMEOUT rejected - timeout",
    [155] = "VERIFY_MODE_MISMATCH rejected - mismatch", [156] = "ORCODE_VERIFY_PASS verified qr",
    [157] = "ORCODE_VERIFY_FAIL rejected qr mismatch",
    [181] = "PASSWD_VERIFY_PASS verified password",
    [195] = "DYNAMICCODE_VERIFY_INVALID rejected password password",
}
local MEANINGS = {}
for major, rows in pairs(CODES) do
    MEANINGS[major] = {}
    for minor, row in pairs(rows) do
        local name, what, how, reason = row:match "^(%S+) ?(%S*) ?(%S*) ?(%S*)$"
        local meaning = { name = name, what = what ~= "" and what or "other" }
        if what == "door" then
            meaning.state = how
        elseif how ~= "" then
            meaning.method = how ~= "-" and how or nil
            meaning.reason = reason ~= "" and reason or nil
        end
        MEANINGS[major][minor] = meaning
    end
end

local UNKNOWN = { what = "other" }

-- { name =, what =, method =, reason =, state = } of a pair; one without a name is not known.
function codes.meaning(major, minor)
    return MEANINGS[major] and MEANINGS[major][minor] or UNKNOWN
end

return codes
