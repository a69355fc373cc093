import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { pageRowsDefault, queryCostBareListItems, queryCostHeavyField } from '../limits.ts';

/** Fields that make the engine read, by type: each is a statement or a walk, however little it answers. */
const heavyFields: Readonly<Record<string, ReadonlySet<string>>> = {
  Query: new Set(['sql', 'featureVectors', 'lineage', 'impact', 'auditTrail', 'predictions', 'prediction', 'trainingPlan']),
  Table: new Set(['rows', 'scanPlan']),
  Column: new Set(['statistics']),
  Prediction: new Set(['explanation']),
};

export interface QueryCost {
  /** An upper bound of the fields answered: each counts one, a heavy one `queryCostHeavyField`, times the items of the lists that it is in. */
  readonly cost: number;
  readonly depth: number;
}

/**
 * The cost of one operation under its variables. A list counts as its field's `first` or `last`, connections as 100 without, other lists
 * as 10. Each selection set is walked once however often its fragment is spread, so the walk is linear in the document.
 * The document has to be valid.
 */
export function queryCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Readonly<Record<string, unknown>>,
): QueryCost {
  const root = schema.getRootType(operation.operation);
  if (!root) return { cost: 0, depth: 0 };
  return new CostWalk(schema, document, variables).selectionSet(operation.selectionSet, root, null);
}

class CostWalk {
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** By selection set and the page size that a connection hands down to its edges. */
  readonly #known = new Map<SelectionSetNode, Map<number | null, QueryCost>>();

  constructor(schema: GraphQLSchema, document: DocumentNode, variables: Readonly<Record<string, unknown>>) {
    this.#schema = schema;
    this.#variables = variables;
    this.#fragments = new Map(
      document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION).map((node) => [node.name.value, node]),
    );
  }

  selectionSet(set: SelectionSetNode, parent: GraphQLCompositeType, pageItems: number | null): QueryCost {
    const known = this.#known.get(set)?.get(pageItems);
    if (known !== undefined) return known;
    let cost = 0;
    let depth = 0;
    for (const selection of set.selections) {
      const part = this.#selection(selection, parent, pageItems);
      cost += part.cost;
      depth = Math.max(depth, part.depth);
    }
    const total = { cost, depth };
    const bySize = this.#known.get(set) ?? new Map<number | null, QueryCost>();
    this.#known.set(set, bySize.set(pageItems, total));
    return total;
  }

  #selection(selection: SelectionNode, parent: GraphQLCompositeType, pageItems: number | null): QueryCost {
    switch (selection.kind) {
      case Kind.FIELD:
        return this.#field(selection, parent, pageItems);
      case Kind.INLINE_FRAGMENT:
        return this.selectionSet(
          selection.selectionSet,
          this.#conditionType(selection.typeCondition?.name.value, parent),
          pageItems,
        );
      case Kind.FRAGMENT_SPREAD: {
        const fragment = this.#fragments.get(selection.name.value);
        if (fragment === undefined) return { cost: 0, depth: 0 };
        return this.selectionSet(
          fragment.selectionSet,
          this.#conditionType(fragment.typeCondition.name.value, parent),
          pageItems,
        );
      }
    }
  }

  #field(node: FieldNode, parent: GraphQLCompositeType, pageItems: number | null): QueryCost {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    // Introspection: the rules of validation bound its nesting, and the schema its lists.
    if (field === undefined || node.selectionSet === undefined) return { cost: 1, depth: 1 };
    const type = getNamedType(field.type);
    if (!isCompositeType(type)) return { cost: 1, depth: 1 };
    const isPage = type.name.endsWith('Connection');
    const list = isListType(getNullableType(field.type));
    const handedDown = isPage ? (this.#requested(node, field) ?? pageRowsDefault) : null;
    const inner = this.selectionSet(node.selectionSet, type, handedDown);
    const items = list ? (pageItems ?? this.#requested(node, field) ?? queryCostBareListItems) : 1;
    const own = heavyFields[parent.name]?.has(field.name) === true ? queryCostHeavyField : 1;
    return { cost: own + items * inner.cost, depth: 1 + inner.depth };
  }

  /** `first` or `last`, or the number of ids asked for; null where the field takes none of them. */
  #requested(node: FieldNode, field: GraphQLField<unknown, unknown>): number | null {
    if (field.args.length === 0) return null;
    const args = getArgumentValues(field, node, this.#variables);
    for (const name of ['first', 'last', 'maxNodes']) {
      const size = args[name];
      if (typeof size === 'number') return Math.max(0, size);
    }
    return Array.isArray(args.ids) ? args.ids.length : null;
  }

  #conditionType(name: string | undefined, parent: GraphQLCompositeType): GraphQLCompositeType {
    const type = name === undefined ? parent : this.#schema.getType(name);
    return isCompositeType(type) ? type : parent;
  }
}
