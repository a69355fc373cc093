import { notBuilt } from './not-built.ts';

export function tableKind(..._: readonly unknown[]): never {
  return notBuilt('tableKind');
}

export function tableColumns(..._: readonly unknown[]): never {
  return notBuilt('tableColumns');
}

export function tablePartitionFields(..._: readonly unknown[]): never {
  return notBuilt('tablePartitionFields');
}

export function tableCurrentSnapshot(..._: readonly unknown[]): never {
  return notBuilt('tableCurrentSnapshot');
}

export function tableSnapshot(..._: readonly unknown[]): never {
  return notBuilt('tableSnapshot');
}

export function tableSnapshots(..._: readonly unknown[]): never {
  return notBuilt('tableSnapshots');
}

export function tableRefs(..._: readonly unknown[]): never {
  return notBuilt('tableRefs');
}

export function tableRows(..._: readonly unknown[]): never {
  return notBuilt('tableRows');
}

export function tableScanPlan(..._: readonly unknown[]): never {
  return notBuilt('tableScanPlan');
}

export function columnStatistics(..._: readonly unknown[]): never {
  return notBuilt('columnStatistics');
}

export function scanPlanFiles(..._: readonly unknown[]): never {
  return notBuilt('scanPlanFiles');
}

export function table(..._: readonly unknown[]): never {
  return notBuilt('table');
}

export function tables(..._: readonly unknown[]): never {
  return notBuilt('tables');
}

export function createTable(..._: readonly unknown[]): never {
  return notBuilt('createTable');
}

export function alterTable(..._: readonly unknown[]): never {
  return notBuilt('alterTable');
}

export function dropTable(..._: readonly unknown[]): never {
  return notBuilt('dropTable');
}

export function writeRows(..._: readonly unknown[]): never {
  return notBuilt('writeRows');
}
