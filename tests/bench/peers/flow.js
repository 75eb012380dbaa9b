// flow - the flow and settings of a Node-RED that stands between two brokers, as its users build it.
//
//   node flow.js FOLDER LOCAL_PORT CITY_PORT plain|queue HTTP_PORT
//
// plain: mqtt in -> mqtt out, QoS 1. queue: a function keeps what comes while the city is away in the
// file context (flushed every second) and sends it when the status of the connection says so.
"use strict";
const fs = require("fs");
const path = require("path");
const [folder, localPort, cityPort, mode, httpPort] = process.argv.slice(2);

const broker = (id, port) => ({ id, type: "mqtt-broker", broker: "127.0.0.1", port, clientid: "red-" + id,
    autoConnect: true, usetls: false, protocolVersion: "4", keepalive: "60",
    cleansession: mode === "plain" });
const QUEUE = `
const waiting = flow.get("waiting", "file") || [];
if (msg.connected !== undefined) {
    flow.set("connected", msg.connected);
    if (msg.connected && waiting.length) {
        flow.set("waiting", [], "file");
        return [waiting];
    }
    return null;
}
if (flow.get("connected")) return msg;
waiting.push({ topic: msg.topic, payload: msg.payload, qos: 1 });
flow.set("waiting", waiting, "file");
return null;`;
const CONNECTED = 'return { connected: msg.status.fill === "green" };';

const func = (id, text, wires) => ({ id, z: "tab", type: "function", name: id, func: text, outputs: 1,
    x: 300, y: 100, wires: [wires] });
const flows = [
    { id: "tab", type: "tab", label: "outage" },
    broker("local", localPort), broker("city", cityPort),
    { id: "in", z: "tab", type: "mqtt in", topic: "up/#", qos: "1", datatype: "utf8", broker: "local",
        inputs: 0, x: 100, y: 100, wires: [[mode === "queue" ? "queue" : "out"]] },
    { id: "out", z: "tab", type: "mqtt out", qos: "1", retain: "", broker: "city", x: 500, y: 100, wires: [] },
];
if (mode === "queue") {
    flows.push(func("queue", QUEUE, ["out"]), func("connected", CONNECTED, ["queue"]),
        { id: "status", z: "tab", type: "status", scope: ["out"], x: 100, y: 200, wires: [["connected"]] });
}
const settings = `module.exports = { uiHost: "127.0.0.1", uiPort: ${httpPort}, flowFile: "flows.json",
    logging: { console: { level: "warn" } }, editorTheme: { tours: false },
    contextStorage: { default: { module: "memory" },
        file: { module: "localfilesystem", config: { flushInterval: 1 } } } };`;
fs.writeFileSync(path.join(folder, "flows.json"), JSON.stringify(flows));
fs.writeFileSync(path.join(folder, "settings.js"), settings);
