import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const script = `
  import { createLogger } from '@wafleet/runtime';
  const logger = createLogger({ app: 'sample', level: 'info', instance: 'one' });
  const error = Object.assign(new Error('cannot reach redis://user:PLANTED@host:1'), {
    command: { args: ['PLANTED'] },
    cause: Object.assign(new Error('inner'), { token: 'PLANTED' }),
  });
  logger.info({ token: 'PLANTED', deep: { qr: 'PLANTED', deeper: { creds: { a: 'PLANTED' } } } }, 'fields');
  logger.error({ err: error }, 'failed');
  const bytes = Buffer.from('PLANTED');
  const outer = { reason: error, list: [new Uint8Array(bytes)], a: { b: { c: { bytes } } } };
  logger.error({ ...outer, err: Object.assign(new Error('x'), outer) }, 'with bytes');
`;

test('secrets do not reach a log line, as fields or on errors', () => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=wafleet:source', '--import=tsx', '--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: import.meta.dirname },
  );
  expect(stderr).toBe('');
  const lines = stdout.trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(stdout).not.toContain('PLANTED');
  expect(stdout).not.toContain(JSON.stringify([...Buffer.from('PLANTED')]));
  expect(JSON.parse(lines[1] ?? '')).toMatchObject({
    level: 'error',
    app: 'sample',
    err: { cause: { message: 'inner' } },
  });
  expect(JSON.parse(lines[2] ?? '')).toMatchObject({
    reason: { cause: { message: 'inner' } },
    list: ['[7 bytes]'],
    a: { b: { c: { bytes: '[7 bytes]' } } },
  });
});
