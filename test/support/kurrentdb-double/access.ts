/** Who may do what. Without users the double is insecure, as a server started with `--insecure`: everybody may do everything. */
import { status } from '@grpc/grpc-js';
import type { AnyCall } from './double-context.ts';
import type { EventLog } from './event-log.ts';
import { accessDenied, RpcError } from './rpc-errors.ts';
import { metadataOf } from './stream-metadata.ts';

/** Passwords by login name; `admin` and `ops` are in the groups that the server gives them. */
export type Users = Readonly<Record<string, string>>;

export type StreamRight = 'read' | 'write' | 'delete' | 'metaRead' | 'metaWrite';

interface Principal {
  readonly login: string;
  readonly roles: readonly string[];
}

const ADMINS = '$admins';
const OPS = '$ops';
const ALL = '$all';

const ACL_KEYS: Readonly<Record<StreamRight, string>> = {
  read: '$r',
  write: '$w',
  delete: '$d',
  metaRead: '$mr',
  metaWrite: '$mw',
};

function rolesOf(login: string): string[] {
  if (login === 'admin') return [login, ADMINS];
  return login === 'ops' ? [login, OPS] : [login];
}

/** A role or a list of them. */
function toRoles(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((role) => typeof role === 'string') : undefined;
}

function unauthenticated(): RpcError {
  return new RpcError(status.UNAUTHENTICATED, 'Unauthenticated');
}

export class Access {
  readonly #users: Users | undefined;
  readonly #log: EventLog;

  constructor(users: Users | undefined, log: EventLog) {
    this.#users = users;
    this.#log = log;
  }

  /**
   * Server: src/EventStore.Core/Services/Transport/Http/AuthenticationMiddleware.cs: wrong credentials are UNAUTHENTICATED,
   * none at all make an anonymous caller.
   * @throws RpcError
   */
  authenticate(call: AnyCall): Principal {
    const anonymous = { login: '', roles: [] };
    const header = call.metadata.get('authorization')[0]?.toString();
    if (this.#users === undefined || header === undefined) return anonymous;
    const [scheme, encoded = ''] = header.split(' ');
    const [login = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (scheme !== 'Basic' || this.#users[login] === undefined || this.#users[login] !== rest.join(':')) {
      throw unauthenticated();
    }
    return { login, roles: rolesOf(login) };
  }

  /**
   * Server: src/EventStore.Core/Authorization/AuthorizationPolicies/LegacyStreamPermissionAssertion.cs: ordinary streams are
   * everybody's, streams whose names begin with `$` only administrators', unless their metadata says otherwise.
   * @throws RpcError
   */
  checkStream(call: AnyCall, stream: string, right: StreamRight): void {
    const { roles } = this.authenticate(call);
    if (this.#users === undefined || roles.includes(ADMINS)) return;
    const isMetastream = stream.startsWith('$$');
    const subject = isMetastream ? stream.slice(2) : stream;
    const effective = isMetastream ? (right === 'read' ? 'metaRead' : 'metaWrite') : right;
    const allowed =
      toRoles(metadataOf(this.#log, subject).acl?.[ACL_KEYS[effective]]) ??
      (subject.startsWith('$') ? [ADMINS] : [ALL]);
    if (!allowed.includes(ALL) && !allowed.some((role) => roles.includes(role))) throw accessDenied();
  }

  /** Persistent subscriptions and the like are managed by administrators and operators. @throws RpcError */
  checkOperator(call: AnyCall): void {
    const { roles } = this.authenticate(call);
    if (this.#users !== undefined && !roles.includes(ADMINS) && !roles.includes(OPS)) throw accessDenied();
  }
}
