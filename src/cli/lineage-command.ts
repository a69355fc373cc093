import { IcecoreError } from '../errors.ts';
import { printJson } from '../iceberg/json.ts';
import { lineageDepthDefault, lineageDepthMax, lineageNodesDefault, lineageNodesMax } from '../limits.ts';
import { Api, serverFlags } from './api.ts';
import type { Action, Command } from './command.ts';
import { bold, type Console, dim } from './console.ts';
import { counted } from './count-text.ts';
import { wholeNumberFlag } from './flags.ts';
import { type GraphNode, type LineageGraph, lineageQuery, nodeLabel, stateText } from './lineage-graph.ts';
import { lineageRoot, lineageRootId } from './lineage-root.ts';
import { LineageTree, type TreeDirection } from './lineage-tree.ts';
import { printable } from './printable.ts';
import { momentText } from './table-list.ts';

export const lineageCommand: Command = {
  name: 'lineage',
  summary: 'what a thing was made from, and what was made from it',
  usage: [
    'icecore lineage NAMESPACE.TABLE[@SNAPSHOT|@REF] [flags]',
    'icecore lineage training:NAME[@VERSION] | model:NAME[@VERSION|@ALIAS] | feature-set:NAME[@VERSION] [flags]',
    'icecore lineage feature:TABLE.COLUMN | prediction:TABLE/ID | ID [flags]',
  ],
  details: ['ID is an id that the API gave, such as that of a run.'],
  flags: [
    { name: 'upstream', help: 'only what it was made from' },
    { name: 'downstream', help: 'only what was made from it' },
    { name: 'depth', value: 'N', help: `steps from it; ${lineageDepthDefault} where left out, at most ${lineageDepthMax}` },
    { name: 'max-nodes', value: 'N', help: `${lineageNodesDefault} where left out, at most ${lineageNodesMax}` },
    { name: 'json', help: 'the graph as one object' },
    ...serverFlags,
  ],
  prepare: (flags, environment) => {
    const api = Api.of(flags, environment);
    const [text, ...others] = flags.words;
    if (text === undefined || others.length > 0) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        'Give one thing, such as raw.flights, training:late_departures@1 or model:flight-late@1.',
      );
    }
    const root = lineageRoot(text);
    const [up, down] = [flags.has('upstream'), flags.has('downstream')];
    const directions: readonly TreeDirection[] = up === down ? ['UPSTREAM', 'DOWNSTREAM'] : up ? ['UPSTREAM'] : ['DOWNSTREAM'];
    const variables = {
      direction: directions.length === 2 ? 'BOTH' : directions[0],
      maxDepth: wholeNumberFlag(flags, 'depth', { min: 0, max: lineageDepthMax, otherwise: lineageDepthDefault }),
      maxNodes: wholeNumberFlag(flags, 'max-nodes', { min: 1, max: lineageNodesMax, otherwise: lineageNodesDefault }),
    };
    const isJson = flags.has('json');
    return (async (console) => {
      const of = await lineageRootId(text, root, api);
      const { lineage } = await api.ask<{ readonly lineage: LineageGraph }>(lineageQuery, { of, ...variables });
      if (isJson) console.out(`${printJson(lineage)}\n`);
      else printGraph(lineage, directions, console);
    }) satisfies Action;
  },
};

function printGraph(graph: LineageGraph, directions: readonly TreeDirection[], console: Console): void {
  const reached = printRoot(graph, graph.root, directions, console);
  // What stands for all its versions has them as further roots.
  for (const node of graph.nodes) {
    if (reached.has(node.id)) continue;
    console.out('\n');
    for (const id of printRoot(graph, node, directions, console)) reached.add(id);
  }
  const end = `${counted(graph.nodes.length, 'node')}, ${counted(graph.edges.length, 'step')}, as of ${momentText(graph.asOf)}`;
  console.out(`\n${dim(end, console)}\n`);
  if (graph.complete) return;
  console.out(`${bold('This is not all of it:', console)}\n`);
  for (const reason of graph.incompleteBecause) console.out(`- ${printable(reason)}\n`);
  if (graph.incompleteBecause.some((reason) => /\bmax(Depth|Nodes)\b/.test(reason))) {
    console.out(`${dim('--depth and --max-nodes reach further', console)}\n`);
  }
}

/** Gives the ids of what it drew. */
function printRoot(graph: LineageGraph, root: GraphNode, directions: readonly TreeDirection[], console: Console): Set<string> {
  const reached = new Set<string>();
  const state = stateText(root);
  console.out(`${bold(nodeLabel(root), console)}${state === '' ? '' : dim(`  ${state}`, console)}\n`);
  for (const direction of directions) {
    const tree = new LineageTree(graph, root, direction, console);
    const lines = tree.lines();
    const heading = direction === 'UPSTREAM' ? 'made from' : 'what was made from it';
    const nothing = direction === 'UPSTREAM' ? 'made from nothing that is known' : 'nothing was made from it that is known';
    console.out(`${lines.length === 0 ? dim(nothing, console) : heading}\n`);
    for (const line of lines) console.out(`${line}\n`);
    for (const id of tree.reached) reached.add(id);
  }
  return reached;
}
