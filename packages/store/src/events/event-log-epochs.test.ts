import { append, failOver, type History, lose, restart, testReads, trim } from '../testing/log-histories.js';
import { useRedis } from '../testing/redis-fixture.js';

/** The results of reads across epochs: after a restart of Redis, a failover, or the loss of a part of the log. */
const HISTORIES: readonly History[] = [
  {
    name: 'a restart, and nothing since',
    happens: [append(3), restart],
    head: 'A-3',
    answers: [
      ['A-3', true, ''],
      ['A-1', true, 'A-2 A-3'],
      ['0-0', true, 'A-1 A-2 A-3'],
    ],
  },
  {
    name: 'a restart',
    happens: [append(3), restart, append(2)],
    head: 'B-2',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2'],
      ['A-2', true, 'A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['B-0', true, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
      ['B-2', true, ''],
      ['B-3', false, ''],
    ],
  },
  {
    name: 'a restart, and the epoch before it was trimmed',
    happens: [append(3), restart, append(2), trim(2)],
    head: 'B-2',
    answers: [
      ['A-3', true, 'B-1 B-2'],
      ['A-2', false, 'B-1 B-2'],
      ['0-0', false, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
    ],
  },
  {
    name: 'a restart, and the begin of the new epoch was trimmed as well',
    happens: [append(3), restart, append(3), trim(2)],
    head: 'B-3',
    answers: [
      ['A-3', false, 'B-2 B-3'],
      ['B-0', false, 'B-2 B-3'],
      ['B-1', true, 'B-2 B-3'],
    ],
  },
  {
    name: 'a failover that lost the end, and nothing since',
    happens: [append(5), failOver(2)],
    head: 'A-3',
    answers: [
      ['A-2', true, 'A-3'],
      ['A-3', true, ''],
      ['A-5', true, ''],
      ['zz-5', false, 'A-1 A-2 A-3'],
    ],
  },
  {
    name: 'a failover that lost the end',
    happens: [append(5), failOver(2), append(2)],
    head: 'B-2',
    answers: [
      ['A-2', true, 'A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['A-5', true, 'B-1 B-2'],
      ['B-1', true, 'B-2'],
      ['B-3', false, ''],
    ],
  },
  {
    name: 'a failover that lost the end, and all from before was trimmed',
    happens: [append(5), failOver(2), append(2), trim(1)],
    head: 'B-2',
    answers: [
      ['A-5', false, 'B-2'],
      ['A-3', false, 'B-2'],
      ['B-1', true, 'B-2'],
    ],
  },
  {
    name: 'two failovers in a row',
    happens: [append(5), failOver(2), append(3), failOver(1), append(1)],
    head: 'C-1',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2 C-1'],
      ['A-5', true, 'B-1 B-2 C-1'],
      ['B-2', true, 'C-1'],
      ['B-3', true, 'C-1'],
      ['C-1', true, ''],
    ],
  },
  {
    name: 'a failover that lost an epoch as a whole',
    happens: [append(3), restart, append(2), failOver(2), append(1)],
    head: 'C-1',
    answers: [
      ['A-3', true, 'C-1'],
      ['B-2', false, 'C-1'],
      ['B-1', false, 'C-1'],
    ],
  },
  {
    name: 'the head was lost, and nothing since',
    happens: [append(3), lose('logHead')],
    head: 'A-3',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3'],
      ['A-2', true, 'A-3'],
      ['A-3', true, ''],
      ['A-4', false, ''],
    ],
  },
  {
    name: 'the head was lost',
    happens: [append(3), lose('logHead'), append(2)],
    head: 'B-2',
    answers: [
      ['0-0', true, 'A-1 A-2 A-3 B-1 B-2'],
      ['A-3', true, 'B-1 B-2'],
      ['B-2', true, ''],
    ],
  },
  {
    name: 'the head was lost after all events had been trimmed',
    happens: [append(3), trim(0), lose('logHead'), append(1)],
    head: 'B-1',
    answers: [
      ['A-3', true, 'B-1'],
      ['A-2', false, 'B-1'],
      ['0-0', false, 'B-1'],
    ],
  },
  {
    name: 'the events were lost in a failover',
    happens: [append(3), lose('log'), restart, append(1)],
    head: 'B-1',
    answers: [
      ['A-3', true, 'B-1'],
      ['A-2', false, 'B-1'],
      ['0-0', false, 'B-1'],
    ],
  },
  {
    name: 'everything was lost',
    happens: [append(3), lose('log'), lose('logHead'), append(1)],
    head: 'B-1',
    answers: [
      ['A-3', false, 'B-1'],
      ['A-1', false, 'B-1'],
      ['B-1', true, ''],
    ],
  },
];

testReads(useRedis(), HISTORIES);
