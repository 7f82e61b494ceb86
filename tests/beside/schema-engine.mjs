#!/usr/bin/env node
// Prisma's schema engine for its command line, without the program that its installation downloads.
//
// The engine is Prisma's own, of the very commit that this version of `prisma` asks for, compiled
// to WebAssembly (@prisma/schema-engine-wasm). The command line starts what
// PRISMA_SCHEMA_ENGINE_BINARY names and speaks JSON-RPC with it, a line each; this passes the calls
// on, and the database comes to the engine through Prisma's adapter for node-postgres.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { PrismaPg } from "@prisma/adapter-pg";
import { ColumnTypeEnum, bindMigrationAwareSqlAdapterFactory } from "@prisma/driver-adapter-utils";
import * as bindings from "@prisma/schema-engine-wasm/schema_engine_bg";
import pg from "pg";
import { parse } from "pg-connection-string";

const CHAR = 18; // the type "char" of the catalogs, which the adapter does not know
const TEXT = 25;
const METHODS = { getDatabaseVersion: "version" };

/** Prisma's adapter, where the engine as a program does otherwise. */
class Adapter extends PrismaPg {
  async connect() {
    const adapter = await super.connect();
    // The adapter splits a script at each semicolon, those in functions' bodies too.
    adapter.executeScript = async (script) => void (await adapter.underlyingDriver().query(script));
    readCharacters(adapter);
    return adapter;
  }

  // The adapter's own drops the shadow database while it is still connected to it.
  async connectToShadowDb() {
    const maintenance = await this.connect();
    const database = `prisma_migrate_shadow_db_${crypto.randomUUID()}`;
    await maintenance.executeScript(`CREATE DATABASE "${database}"`);
    const shadow = await new Adapter({ ...this.config, database }, this.options).connect();
    const close = shadow.dispose.bind(shadow);
    shadow.dispose = async () => {
      await close();
      await maintenance.executeScript(`DROP DATABASE "${database}"`);
      await maintenance.dispose();
    };
    return shadow;
  }
}

function readCharacters(adapter) {
  const perform = adapter.performIO.bind(adapter);
  const query = adapter.queryRaw.bind(adapter);
  const characters = new WeakMap();
  adapter.performIO = async (asked) => {
    const result = await perform(asked);
    characters.set(asked, result.fields.map((field) => field.dataTypeID === CHAR));
    for (const field of result.fields) {
      if (field.dataTypeID === CHAR) field.dataTypeID = TEXT;
    }
    return result;
  };
  adapter.queryRaw = async (asked) => {
    const result = await query(asked);
    characters.get(asked).forEach((isCharacter, column) => {
      if (isCharacter) result.columnTypes[column] = ColumnTypeEnum.Character;
    });
    return result;
  };
}

/** What node-postgres takes, for a URL whose `schema` is Prisma's own. */
function readConnection(url) {
  const { host, port, user, password, database } = parse(url);
  const schema = new URL(url).searchParams.get("schema") ?? undefined;
  const options = schema && `-c search_path="${schema}"`;
  return { schema, config: { host, port: Number(port || 5432), user, password, database, options } };
}

async function startEngine({ schema, config }, paths) {
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (text) => console.error(text) };
  const { resolve } = createRequire(import.meta.url);
  const script = resolve("@prisma/schema-engine-wasm/schema_engine_bg");
  const code = await readFile(script.replace(/\.js$/, ".wasm"));
  const { instance } = await WebAssembly.instantiate(code, { "./schema_engine_bg.js": bindings });
  bindings.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start();
  const datamodels = paths && (await Promise.all(paths.map(async (p) => [p, await readFile(p, "utf8")])));
  const factory = bindMigrationAwareSqlAdapterFactory(new Adapter(config, { schema }));
  return bindings.SchemaEngine.new({ datamodels }, () => {}, factory);
}

function send(message) {
  process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

async function answer(engine, { id, method, params }) {
  try {
    const result = (await engine[METHODS[method] ?? method](params)) ?? null;
    if (method === "diff" && result.stdout) {
      send({ id: `print-${id}`, method: "print", params: { content: result.stdout } });
    }
    send({ id, result });
  } catch (error) {
    const data = { is_panic: false, message: error.message, error_code: error.code };
    send({ id, error: { code: 4466, message: error.message, data } });
  }
}

const { values, positionals } = parseArgs({
  options: {
    datamodels: { type: "string", multiple: true },
    datasource: { type: "string" },
    "enabled-preview-features": { type: "string" },
    "extension-types": { type: "string" },
  },
  allowPositionals: true,
});
const connection = readConnection(JSON.parse(values.datasource).url);
if (positionals[0] === "cli") {
  const client = new pg.Client(connection.config); // can-connect-to-database
  await client.connect();
  await client.end();
} else {
  const engine = await startEngine(connection, values.datamodels);
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    if (message.method) await answer(engine, message);
  }
}
process.exit(0);
