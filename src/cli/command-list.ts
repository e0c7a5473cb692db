/** All commands, each loaded only when it is asked for, so that every call starts quickly. */
import type { Command } from './command.ts';

const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  start: () => import('./commands/start.ts').then((module) => module.start),
  status: () => import('./commands/status.ts').then((module) => module.status),
  logs: () => import('./commands/logs.ts').then((module) => module.logs),
  stop: () => import('./commands/stop.ts').then((module) => module.stop),
  restart: () => import('./commands/restart.ts').then((module) => module.restart),
  person: () => import('./commands/person.ts').then((module) => module.person),
  account: () => import('./commands/account.ts').then((module) => module.account),
  deposit: () => import('./commands/posting.ts').then((module) => module.deposit),
  withdraw: () => import('./commands/posting.ts').then((module) => module.withdraw),
  transfer: () => import('./commands/transfer.ts').then((module) => module.transfer),
  reverse: () => import('./commands/reverse.ts').then((module) => module.reverse),
  interest: () => import('./commands/interest.ts').then((module) => module.interest),
  statement: () => import('./commands/statement.ts').then((module) => module.statement),
  analytics: () => import('./commands/analytics.ts').then((module) => module.analytics),
  snapshot: () => import('./commands/snapshot.ts').then((module) => module.snapshot),
  archive: () => import('./commands/archive.ts').then((module) => module.archive),
  streams: () => import('./commands/streams.ts').then((module) => module.streams),
  projections: () => import('./commands/projections.ts').then((module) => module.projections),
  rebuild: () => import('./commands/projections.ts').then((module) => module.rebuild),
  'dead-letters': () => import('./commands/dead-letters.ts').then((module) => module.deadLetters),
  demo: () => import('./commands/demo.ts').then((module) => module.demo),
  replay: () => import('./commands/replay.ts').then((module) => module.replay),
  project: () => import('./commands/project.ts').then((module) => module.project),
  export: () => import('./commands/export.ts').then((module) => module.exportCommand),
  import: () => import('./commands/import.ts').then((module) => module.importCommand),
  rewrite: () => import('./commands/rewrite.ts').then((module) => module.rewrite),
  backup: () => import('./commands/backup.ts').then((module) => module.backup),
  restore: () => import('./commands/restore.ts').then((module) => module.restore),
  verify: () => import('./commands/verify.ts').then((module) => module.verify),
  reset: () => import('./commands/reset.ts').then((module) => module.reset),
  test: () => import('./commands/test.ts').then((module) => module.test),
  bench: () => import('./commands/bench.ts').then((module) => module.bench),
  help: () => import('./commands/help.ts').then((module) => module.helpOn({ loadCommand, loadCommands })),
  version: () => import('./commands/version.ts').then((module) => module.version),
};

/** The command of that name, or undefined. */
export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(LOADERS, name) ? LOADERS[name]?.() : undefined;
}

/** The names of all commands. */
export function commandNames(): readonly string[] {
  return Object.keys(LOADERS);
}

/** Every command, in the order that the help shows them. */
export function loadCommands(): Promise<readonly Command[]> {
  return Promise.all(Object.values(LOADERS).map((load) => load()));
}
