/**
 * The current value of an app's metric. Rejects if the app has no metric of this name.
 * @param app its `url` serves `/metrics`.
 * @param name with its labels, if any: `wafleet_edge_sockets{namespace="/"}`.
 */
export async function metricOf(app: { readonly url: string }, name: string): Promise<number> {
  const response = await fetch(`${app.url}/metrics`);
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}
