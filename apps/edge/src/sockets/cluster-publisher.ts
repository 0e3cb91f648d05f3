import type { Logger } from '@wafleet/runtime';
import type { RedisConnection } from '@wafleet/store';

/**
 * The connection through which the Redis adapter publishes. The adapter drops the promises of its commands, so a
 * command that fails while Redis is out of reach would end the process. Here the failure is logged.
 */
export function clusterPublisher(connection: RedisConnection, logger: Logger) {
  return {
    publish: (channel: string, message: string | Buffer) =>
      connection.publish(channel, message).catch((error: unknown) => {
        logger.warn({ err: error }, 'could not publish to the other edges');
        return 0;
      }),
    /** The adapter's way to ask how many edges there are; ioredis 6 no longer has this method. */
    send_command: (
      command: string,
      args: readonly string[],
      done: (error: Error | null, reply?: unknown) => void,
    ) => {
      connection.call(command, ...args).then(
        (reply) => done(null, reply),
        (error: Error) => done(error),
      );
    },
    on: connection.on.bind(connection),
    off: connection.off.bind(connection),
  };
}

export type ClusterPublisher = ReturnType<typeof clusterPublisher>;
