import { USyncQuery, USyncUser } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { useLinkedClient } from '../testing/linked-client.js';

const { simulator, client } = useLinkedClient();

test('a person is found by username under the LID, and a hidden number finds no person', async () => {
  const nina = simulator.addPhone({ name: 'Nina', username: 'nina.n', hidesNumber: true });
  const found = async (user: USyncUser) => {
    const query = new USyncQuery().withContactProtocol().withUsernameProtocol().withUser(user);
    const answer = await client.sock.executeUSyncQuery(query);
    return answer?.list.map(({ id, contact }) => ({ id, contact }));
  };
  expect(await found(new USyncUser().withUsername('nina.n'))).toEqual([{ id: nina.lid, contact: true }]);
  expect(await found(new USyncUser().withUsername('unknown'))).toEqual([]);
  const byNumber = await found(new USyncUser().withPhone(`+${nina.number}`));
  expect(byNumber).toEqual([{ id: `${nina.number}@s.whatsapp.net`, contact: false }]);
});
