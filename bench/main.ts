/** The benchmarks: checks where it runs, measures group after group, prints a table and writes all figures. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Bench, say, sayDone } from './bench.ts';
import { describeEnvironment, memoryFileSystem } from './environment.ts';
import { startLoadGenerator } from './load.ts';
import { measureBatches } from './measurements/batches.ts';
import { measureDeposits } from './measurements/deposits.ts';
import { measureMoves } from './measurements/export-import.ts';
import { measureGets } from './measurements/get.ts';
import { measureKeyed } from './measurements/keyed.ts';
import { measureKurrentDb } from './measurements/kurrentdb.ts';
import { measureMongodb } from './measurements/mongodb.ts';
import { measureRebuild } from './measurements/rebuild.ts';
import { measureRebuildBesideLoad } from './measurements/rebuild-beside-load.ts';
import { measureScale } from './measurements/scale.ts';
import { measureSnapshots } from './measurements/snapshots.ts';
import { measureStart } from './measurements/start.ts';
import { measureStatements } from './measurements/statement.ts';
import { measureTimeTravel } from './measurements/time-travel.ts';
import { measureTransfers } from './measurements/transfers.ts';
import { type Group, type Options, readOptions, USAGE, UsageError } from './options.ts';
import { type Findings, printEnvironment, printTable, writeJson } from './report.ts';

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Each entry runs once when one of its groups is asked for. */
const MEASUREMENTS: readonly (readonly [string, readonly Group[], (bench: Bench) => Promise<Findings>])[] = [
  ['deposits', ['deposits', 'hot', 'lag'], measureDeposits],
  ['transfers', ['transfers'], measureTransfers],
  ['batches', ['batches'], measureBatches],
  ['get', ['get'], measureGets],
  ['statement', ['statement'], measureStatements],
  ['snapshots', ['snapshots'], measureSnapshots],
  ['time-travel', ['time-travel'], measureTimeTravel],
  ['rebuild', ['rebuild'], measureRebuild],
  ['rebuild beside load', ['rebuild-beside-load'], measureRebuildBesideLoad],
  ['move', ['move'], measureMoves],
  ['start', ['start'], measureStart],
  ['scale', ['scale'], measureScale],
  ['keyed', ['keyed'], measureKeyed],
  ['kurrentdb', ['kurrentdb'], measureKurrentDb],
  ['mongodb', ['mongodb'], measureMongodb],
];

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options !== 'help') return await runIn(options);
    console.log(USAGE);
    return 0;
  } catch (error) {
    sayDone();
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    return error instanceof UsageError ? EXIT_USAGE : EXIT_FAILED;
  }
}

async function runIn(options: Options): Promise<number> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 });
  const memory = memoryFileSystem(options.dir);
  if (memory !== undefined) {
    throw new UsageError(
      `${resolve(options.dir)} lies in memory (${memory}), where nothing is durable; name a directory on a disk with --dir.`,
    );
  }
  const dir = mkdtempSync(join(resolve(options.dir), 'run-'));
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
  process.on('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT_FAILED));
  try {
    await measureAll(options, dir);
    return 0;
  } finally {
    remove();
  }
}

async function measureAll(options: Options, dir: string): Promise<void> {
  const environment = describeEnvironment(dir);
  printEnvironment(environment);
  const generator = startLoadGenerator();
  const findings: Record<string, Findings> = {};
  try {
    for (const [name, groups, measure] of MEASUREMENTS) {
      if (!groups.some((group) => options.only.has(group))) continue;
      say(`${name}: preparing`);
      findings[name] = await measure({ options, dir, generator });
    }
  } finally {
    generator.stop();
    sayDone();
  }
  printTable(Object.values(findings).flatMap((one) => one.rows));
  writeJson(options, environment, findings);
  console.log(`All rounds: ${options.json}`);
}
