// server - a city's upload server: @tus/server on a folder, TLS with certificates of the offices, and the
// receipts that outpost-city writes, as files.
//
//   node server.mjs --dir DIR --port PORT --ca FILE --cert FILE --key FILE [--most BYTES]
//
// /files/ is tus 1.0.0, /receipts/OFFICE/SHA256 is read only. Nobody reads files back, and an office
// uploads in its own name only: that of its certificate. Each request is one line of JSON on standard
// output: what it asked for, what was answered, and the bytes of a PATCH that are in the file.
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { parseArgs } from "node:util";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";

const text = { type: "string" };
const { values: options } = parseArgs({
    options: { dir: text, port: text, ca: text, cert: text, key: text, most: text },
});

function tell(line) {
    fs.writeSync(1, JSON.stringify(line) + "\n");
}

class CountingStore extends FileStore {
    async write(stream, id, from) {
        try {
            return await super.write(stream, id, from);
        } finally {
            tell({ stored: id, from, to: fs.statSync(path.join(options.dir, id)).size });
        }
    }
}

function officeOf(request) {
    const { subject } = request.runtime.node.req.socket.getPeerCertificate();
    return (subject?.CN ?? "").replace(/-(alarm|bulk)$/, "");
}

function refuse(status, why) {
    throw { status_code: status, body: why + "\n" };
}

const tus = new Server({
    path: "/files",
    datastore: new CountingStore({ directory: options.dir }),
    maxSize: options.most ? Number(options.most) : undefined,
    relativeLocation: true,
    async onIncomingRequest(request) {
        if (request.method === "GET")
            refuse(403, "Files are not read back");
    },
    async onUploadCreate(request, upload) {
        if (upload.metadata?.office !== officeOf(request))
            refuse(403, "An office uploads in its own name only");
        return {};
    },
});

function sendReceipt(request, response) {
    const name = request.url.match(/^\/receipts\/([A-Za-z0-9_:-][A-Za-z0-9._:-]*)\/([0-9a-f]{64})$/);
    const file = name && path.join(options.dir, "receipts", name[1], name[2]);
    if (request.method !== "GET" || !file || !fs.existsSync(file)) {
        response.writeHead(404).end("there is none\n");
        return;
    }
    response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(fs.readFileSync(file));
}

// The tus server hands all headers to writeHead() at once: a list of names and values, or of pairs.
function watchOffset(response) {
    const writeHead = response.writeHead.bind(response);
    response.writeHead = (status, ...more) => {
        const words = more.flat(Infinity).flatMap((word) =>
            word !== null && typeof word === "object" ? Object.entries(word).flat() : [word]);
        const at = words.findIndex((word) => String(word).toLowerCase() === "upload-offset");
        response.confirmed = at < 0 ? undefined : words[at + 1];
        return writeHead(status, ...more);
    };
}

function answer(request, response) {
    watchOffset(response);
    response.on("close", () => tell({
        method: request.method,
        path: request.url,
        from: request.headers["upload-offset"],
        status: response.headersSent ? response.statusCode : null,
        confirmed: response.confirmed,
    }));
    if (request.url.startsWith("/receipts/"))
        sendReceipt(request, response);
    else
        tus.handle(request, response);
}

https.createServer({
    ca: fs.readFileSync(options.ca),
    cert: fs.readFileSync(options.cert),
    key: fs.readFileSync(options.key),
    requestCert: true,
    rejectUnauthorized: true,
    requestTimeout: 0, // an upload may take a night
}, answer).listen(Number(options.port), "127.0.0.1", () => tell({ ready: Number(options.port) }));
