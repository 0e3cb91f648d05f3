import { once } from 'node:events';
import { WebSocket } from 'ws';
import { z } from 'zod';

const targetsSchema = z.tuple([z.object({ webSocketDebuggerUrl: z.string() })]).rest(z.unknown());
const answerSchema = z.object({ id: z.number() });

/**
 * Runs a full garbage collection in a Node process that was started with `--inspect`. Resolves when it is done.
 * Chrome DevTools Protocol, `HeapProfiler.collectGarbage`.
 */
export async function collectGarbage(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/json/list`);
  const [{ webSocketDebuggerUrl }] = targetsSchema.parse(await response.json());
  const inspector = new WebSocket(webSocketDebuggerUrl);
  await once(inspector, 'open');
  inspector.send(JSON.stringify({ id: 1, method: 'HeapProfiler.collectGarbage' }));
  for (;;) {
    const [message] = await once(inspector, 'message');
    if (answerSchema.safeParse(JSON.parse(String(message))).success) break;
  }
  inspector.close();
  await once(inspector, 'close');
}
