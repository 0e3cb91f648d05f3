import type { FastifyReply } from 'fastify';

/**
 * Calls back once the client has its answer, or has gone without it; at once if that has happened already.
 * @param ended gets whether the whole answer was sent.
 */
export function onAnswerEnd({ raw }: FastifyReply, ended: (isSent: boolean) => void): void {
  const end = () => ended(raw.writableFinished);
  if (raw.closed) end();
  else raw.once('close', end);
}
