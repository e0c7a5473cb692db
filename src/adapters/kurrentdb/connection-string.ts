/**
 * Reads a KurrentDB connection string. The client has a parser of its own, but it prints the whole string, password
 * included, when an option is unknown, so this one stands in for it.
 */
import { StoreError } from '../../event-sourcing/store-error.ts';

export interface EndPoint {
  readonly address: string;
  readonly port: number;
}

export type NodePreference = 'leader' | 'follower' | 'random' | 'read_only_replica';

/** What a connection string says; what it leaves out, the client's defaults fill in. */
export interface ConnectionSettings {
  readonly hosts: readonly EndPoint[];
  /** Whether the one host is a DNS name that leads to the nodes of a cluster. */
  readonly discover: boolean;
  readonly credentials?: { readonly username: string; readonly password: string };
  readonly options: ConnectionOptions;
}

/** Times are in milliseconds, but `gossipTimeout` is in seconds: the client takes it so. */
export interface ConnectionOptions {
  readonly tls?: boolean;
  readonly tlsVerifyCert?: boolean;
  readonly tlsCAFile?: string;
  readonly userCertFile?: string;
  readonly userKeyFile?: string;
  readonly connectionName?: string;
  readonly nodePreference?: NodePreference;
  readonly maxDiscoverAttempts?: number;
  readonly discoveryInterval?: number;
  readonly gossipTimeout?: number;
  readonly defaultDeadline?: number;
  readonly keepAliveInterval?: number;
  readonly keepAliveTimeout?: number;
}

const DEFAULT_PORT = 2113;
const SCHEME = /^(esdb|kurrentdb)(\+discover)?:\/\//;
const HOST = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+?)(?::(\d{1,5}))?$/;
const NODE_PREFERENCES: readonly NodePreference[] = ['leader', 'follower', 'random', 'read_only_replica'];

type OptionKind = 'flag' | 'text' | 'number' | 'node preference';
const OPTIONS: Readonly<Record<keyof ConnectionOptions, OptionKind>> = {
  tls: 'flag',
  tlsVerifyCert: 'flag',
  tlsCAFile: 'text',
  userCertFile: 'text',
  userKeyFile: 'text',
  connectionName: 'text',
  nodePreference: 'node preference',
  maxDiscoverAttempts: 'number',
  discoveryInterval: 'number',
  gossipTimeout: 'number',
  defaultDeadline: 'number',
  keepAliveInterval: 'number',
  keepAliveTimeout: 'number',
};
/** Other clients know these; here they have no meaning, and a string shared with such a client must still work. */
const IGNORED_OPTIONS = new Set(['throwonappendfailure']);

/**
 * Takes `esdb://`, `esdb+discover://`, `kurrentdb://` and `kurrentdb+discover://`.
 * @throws StoreError `invalid_request` that says what is wrong, without the string itself: it may hold a password
 */
export function parseConnectionString(url: string): ConnectionSettings {
  const scheme = SCHEME.exec(url);
  if (!scheme)
    throw wrong('it must begin with esdb://, esdb+discover://, kurrentdb:// or kurrentdb+discover://');
  const [beforeQuery, query] = splitOnce(url.slice(scheme[0].length), '?');
  const authority = beforeQuery.replace(/\/+$/, '');
  const at = authority.lastIndexOf('@');
  const hosts = authority
    .slice(at + 1)
    .split(',')
    .map(parseHost);
  return {
    hosts,
    discover: scheme[2] !== undefined,
    ...(at >= 0 ? { credentials: parseCredentials(authority.slice(0, at)) } : {}),
    options: parseOptions(query),
  };
}

/** The servers without credentials, for messages. */
export function describeHosts(settings: ConnectionSettings): string {
  return settings.hosts.map(({ address, port }) => `${address}:${port}`).join(', ');
}

function parseHost(text: string): EndPoint {
  const match = HOST.exec(text.trim());
  if (!match)
    throw wrong('it must name a host, or several with commas between them, each with an optional :port');
  const port = match[2] === undefined ? DEFAULT_PORT : Number(match[2]);
  if (port < 1 || port > 65_535) throw wrong('a port lies between 1 and 65535');
  return { address: match[1] as string, port };
}

function parseCredentials(text: string): { username: string; password: string } {
  const [username, password] = splitOnce(text, ':');
  if (username === '' || password === undefined || password === '') {
    throw wrong('before the @ it must hold a user name, a colon and a password, each percent-encoded');
  }
  return { username: decoded(username, 'user name'), password: decoded(password, 'password') };
}

function parseOptions(query: string | undefined): ConnectionOptions {
  const options: Record<string, string | number | boolean> = {};
  for (const pair of (query ?? '').split('&').filter((text) => text !== '')) {
    const [name, value] = splitOnce(pair, '=');
    if (IGNORED_OPTIONS.has(name.toLowerCase())) continue;
    const known = (Object.keys(OPTIONS) as (keyof ConnectionOptions)[]).find(
      (option) => option.toLowerCase() === name.toLowerCase(),
    );
    if (!known) throw wrong(`it has an option ${JSON.stringify(name)}, which is not known`);
    if (value === undefined || value === '') throw wrong(`its option ${known} has no value`);
    options[known] = parseOption(known, decoded(value, `option ${known}`));
  }
  return options;
}

function parseOption(name: keyof ConnectionOptions, value: string): string | number | boolean {
  switch (OPTIONS[name]) {
    case 'text':
      return value;
    case 'flag':
      if (!/^(true|false)$/i.test(value)) throw wrong(`its option ${name} must be true or false`);
      return value.toLowerCase() === 'true';
    case 'number':
      // -1 switches a keep-alive off.
      if (!/^(-1|\d{1,9})$/.test(value)) throw wrong(`its option ${name} must be a whole number`);
      return Number(value);
    case 'node preference': {
      const plain = value.toLowerCase().replaceAll(/[_-]/g, '');
      const found = NODE_PREFERENCES.find((preference) => preference.replaceAll('_', '') === plain);
      if (!found) throw wrong(`its option ${name} must be one of ${NODE_PREFERENCES.join(', ')}`);
      return found;
    }
  }
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text.trim());
  } catch {
    throw wrong(`its ${what} is not percent-encoded correctly`);
  }
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const place = text.indexOf(separator);
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + 1)];
}

function wrong(what: string): StoreError {
  return new StoreError('invalid_request', `The KurrentDB connection string is not usable: ${what}.`);
}
