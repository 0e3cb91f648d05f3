/**
 * A metric of an app as it is now. Rejects when the app tells none of this name.
 * @param app its `url` is where it serves `/metrics`.
 * @param name with its labels where it has some: `wafleet_edge_sockets{namespace="/"}`.
 */
export async function metricOf(app: { readonly url: string }, name: string): Promise<number> {
  const response = await fetch(`${app.url}/metrics`);
  const line = (await response.text()).split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`there is no metric ${name}`);
  return Number(line.slice(name.length + 1));
}
