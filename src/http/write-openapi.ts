/** Writes the OpenAPI document into `openapi/`; with `--check` it only says whether the files there are up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import pino from 'pino';
import { compose } from '../compose.ts';
import { loadConfig } from '../config.ts';

const DIRECTORY = new URL('../../openapi/', import.meta.url);

/** The document as the code describes it now, in both notations. */
export async function renderOpenApi(): Promise<{ json: string; yaml: string }> {
  const memory = 'sqlite::memory:';
  const config = loadConfig({ OPENBANK_EVENT_STORE: memory, OPENBANK_READ_MODELS: memory });
  const bank = await compose(config, pino({ level: 'silent' }));
  try {
    await bank.app.ready();
    const json = `${JSON.stringify(bank.app.swagger(), null, 2)}\n`;
    return { json, yaml: bank.app.swagger({ yaml: true }) };
  } finally {
    await bank.close();
  }
}

async function main(): Promise<void> {
  for (const [notation, text] of Object.entries(await renderOpenApi())) {
    const file = new URL(`openapi.${notation}`, DIRECTORY);
    if (!process.argv.includes('--check')) writeFileSync(file, text);
    else if (read(file) !== text) {
      console.error(`openapi/openapi.${notation} is not what the code says; run npm run openapi.`);
      process.exitCode = 1;
    }
  }
}

/** A file that is missing counts as one that is empty. */
function read(file: URL): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

if (import.meta.main) await main();
