import { z } from 'zod';

type Operation = (request: unknown) => Promise<unknown>;

const callSchema = z.object({ id: z.number(), operation: z.string(), request: z.unknown() });

/** An operation and the shape of its argument. */
export function operation<Request>(
  request: z.ZodType<Request>,
  run: (request: Request) => unknown,
): Operation {
  return async (given) => run(request.parse(given));
}

/** Serves the calls of the parent process (see `Program`), and ends with it. */
export function serveOperations(operations: Readonly<Record<string, Operation>>): void {
  const answer = async (message: unknown) => {
    const { id, operation: name, request } = callSchema.parse(message);
    try {
      const run = operations[name];
      if (run === undefined) throw new Error(`there is no operation ${name}`);
      process.send?.({ id, reply: (await run(request)) ?? null });
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) });
    }
  };
  process.on('message', (message) => void answer(message));
  process.once('disconnect', () => process.exit());
}
