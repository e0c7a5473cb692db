/** Who may do what. Without users the double is insecure, as a server started with `--insecure`: everybody may do everything. */
import { status } from '@grpc/grpc-js';
import type { AnyCall } from './double-context.ts';
import type { EventLog } from './event-log.ts';
import { accessDenied, RpcError } from './rpc-errors.ts';
import { metadataOf } from './stream-metadata.ts';

/** Passwords by login name; `admin` and `ops` are in the groups that the server gives them. */
export type Users = Readonly<Record<string, string>>;

export type StreamRight = 'read' | 'write' | 'delete';

interface Principal {
  readonly login: string;
  readonly roles: readonly string[];
}

const ADMINS = '$admins';
const OPS = '$ops';
const ALL = '$all';

const ACL_KEYS: Readonly<Record<StreamRight, string>> = { read: '$r', write: '$w', delete: '$d' };
const META_ACL_KEYS: Readonly<Record<StreamRight, string>> = { read: '$mr', write: '$mw', delete: '$mw' };

function rolesOf(login: string): string[] {
  if (login === 'admin') return [login, ADMINS];
  return login === 'ops' ? [login, OPS] : [login];
}

/** A role or a list of them. */
function toRoles(value: unknown): string[] | undefined {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((role) => typeof role === 'string') : undefined;
}

export class Access {
  readonly #users: Users | undefined;
  readonly #log: EventLog;

  constructor(users: Users | undefined, log: EventLog) {
    this.#users = users;
    this.#log = log;
  }

  /**
   * Ordinary streams are open to whoever is authenticated, streams whose names begin with `$` to administrators, unless
   * their metadata says otherwise. Server: src/EventStore.Core/Authorization/LegacyStreamPermissionAssertion.cs;
   * AuthorizationPolicies/LegacyPolicySelectorFactory.cs (AllowAnonymousStreamAccess is off)
   * @throws RpcError
   */
  checkStream(call: AnyCall, stream: string, right: StreamRight): void {
    const { login, roles } = this.#checkAuthenticated(call);
    if (this.#users === undefined) return;
    if (stream === ALL && right !== 'read') throw accessDenied();
    if (roles.includes(ADMINS)) return;
    const allowed = this.#allowed(stream, right);
    if (!allowed.includes(ALL) && ![login, ...roles].some((role) => allowed.includes(role)))
      throw accessDenied();
  }

  /** A consumer must be able to read what its group reads. @throws RpcError */
  checkConsumer(call: AnyCall, stream: string): void {
    this.checkStream(call, stream, 'read');
  }

  /** @throws RpcError */
  checkAuthenticated(call: AnyCall): void {
    this.#checkAuthenticated(call);
  }

  /** Persistent subscriptions and the like are managed by administrators and operators. @throws RpcError */
  checkOperator(call: AnyCall): void {
    const { roles } = this.#checkAuthenticated(call);
    if (this.#users !== undefined && !roles.includes(ADMINS) && !roles.includes(OPS)) throw accessDenied();
  }

  #checkAuthenticated(call: AnyCall): Principal {
    const principal = this.#authenticate(call);
    if (this.#users !== undefined && principal.login === '') throw accessDenied();
    return principal;
  }

  #allowed(stream: string, right: StreamRight): readonly string[] {
    const isMetastream = stream.startsWith('$$');
    const subject = isMetastream ? stream.slice(2) : stream;
    const key = isMetastream ? META_ACL_KEYS[right] : ACL_KEYS[right];
    const byDefault = subject.startsWith('$') ? [ADMINS] : [ALL];
    return toRoles(metadataOf(this.#log, subject).acl?.[key]) ?? byDefault;
  }

  /**
   * Wrong credentials are refused at once, none at all make an anonymous caller.
   * Server: src/EventStore.Core/Services/Transport/Http/AuthenticationMiddleware.cs (HandleAsGrpcAsync)
   */
  #authenticate(call: AnyCall): Principal {
    const anonymous = { login: '', roles: [] };
    const header = call.metadata.get('authorization')[0]?.toString();
    if (this.#users === undefined || header === undefined) return anonymous;
    const [scheme, encoded = ''] = header.split(' ');
    const [login = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':');
    if (scheme !== 'Basic' || this.#users[login] === undefined || this.#users[login] !== rest.join(':')) {
      throw new RpcError(status.UNAUTHENTICATED, 'Unauthenticated');
    }
    return { login, roles: rolesOf(login) };
  }
}
