import { expect, it } from 'vitest';
import { librariesAmong } from './debian-packages.js';

it('reads the libraries to fetch from what apt-cache prints', () => {
  const printed = [
    'redis-tools',
    '  Depends: libatomic1',
    '  Depends: libc6',
    '  Depends: libjemalloc2',
    ' |Depends: libssl3t64',
    '  Depends: <libvirtual>',
    '  Depends: adduser',
    '  Suggests: libruby',
    'redis-server',
    '  Depends: libatomic1',
  ].join('\n');

  expect(librariesAmong(printed)).toEqual(['libatomic1', 'libjemalloc2', 'libssl3t64']);
});
