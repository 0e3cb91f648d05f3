import { createWriteStream, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { observeTests } from '@wafleet/testkit';

/** Writes what each process logs from now on into a file of its own in the folder, named after the process. */
export function keepLogs(folder: string): void {
  mkdirSync(folder, { recursive: true });
  observeTests({
    processStarted: ({ name, onOutput }) => {
      const file = createWriteStream(join(folder, `${name.replaceAll(/\W+/g, '-')}.log`), { flags: 'a' });
      onOutput((chunk) => file.write(chunk));
    },
    redisStarted: () => {},
    redisEnded: () => {},
  });
}
