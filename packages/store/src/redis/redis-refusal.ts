/** Why Redis refuses a command although it answers, by the first word of its error. */
const REFUSALS: Readonly<Record<string, string>> = {
  READONLY: 'Redis is read-only: a replica, or a failover is under way',
  OOM: 'Redis is out of memory: raise its maxmemory, or give it less to store',
  MISCONF: 'Redis cannot write to its disk',
  LOADING: 'Redis is loading its data',
  BUSY: 'Redis is busy with a script',
  TRYAGAIN: 'the Redis Cluster is moving keys',
  MASTERDOWN: 'Redis is a replica without a primary',
  CLUSTERDOWN: 'the Redis Cluster is down',
  NOREPLICAS: 'Redis has too few replicas to accept writes',
  NOAUTH: 'Redis wants a password; REDIS_URL has none',
  WRONGPASS: 'Redis does not accept the password of REDIS_URL',
  NOPERM: 'the Redis user of REDIS_URL lacks a permission',
  DENIED: 'Redis is in protected mode and accepts connections of its own host only',
};

/** Refusals whose first word does not name the cause. */
const TOO_MANY_CLIENTS = /max number of clients/;
const FORBIDDEN_IN_SCRIPT = /^(?:ERR )?The user executing the script can't/;

/** Returns the cause of a refusal in plain words. Undefined for any other error. */
export function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  // A script passes on the error of the command that failed in it, with its own text before and after.
  const [, word = ''] = /^(?:ERR )?-?([A-Z]{3,})\b/.exec(error.message) ?? [];
  if (REFUSALS[word] !== undefined) return REFUSALS[word];
  if (FORBIDDEN_IN_SCRIPT.test(error.message)) return REFUSALS.NOPERM;
  return TOO_MANY_CLIENTS.test(error.message)
    ? 'Redis has as many clients as its maxclients allows'
    : undefined;
}
