// check - docs/asyncapi.yaml by AsyncAPI's own parser and rules, docs/schemas by the 2020-12 metaschema.
//
//   node check.mjs ROOT          Prints one line for each fault; ends with 1 when there is one.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Parser } from "@asyncapi/parser";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const root = process.argv[2] ?? ".";
const faults = [];

// That there is a newer version of AsyncAPI is no fault.
const ADVICE = "asyncapi-latest-version";

const source = readFileSync(join(root, "docs/asyncapi.yaml"), "utf8");
const { document, diagnostics } = await new Parser().parse(source);
for (const found of diagnostics) {
    if (found.code !== ADVICE) {
        faults.push(`docs/asyncapi.yaml:${found.range.start.line + 1}: ${found.message} (${found.code})`);
    }
}
const count = (list) => (document ? list(document).all().length : 0);
const channels = count((d) => d.allChannels());
const messages = count((d) => d.allMessages());

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
addFormats.default(ajv);
ajv.addVocabulary(["x-unit"]);
const folder = join(root, "docs/schemas");
const names = readdirSync(folder).sort();
for (const name of names) {
    try {
        ajv.compile(JSON.parse(readFileSync(join(folder, name), "utf8")));
    } catch (fault) {
        faults.push(`docs/schemas/${name}: ${fault.message}`);
    }
}

faults.forEach((fault) => console.log(fault));
console.log(`docs-check: ${channels} channels, ${messages} messages, ${names.length} schemas, `
    + `${faults.length} faults`);
process.exit(faults.length === 0 && channels > 0 && messages > 0 && names.length > 0 ? 0 : 1);
