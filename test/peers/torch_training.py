"""Trains a linear model on rows of Icecore with PyTorch, one process a rank, and writes what each rank saw.

usage: python -m torch.distributed.run --nproc-per-node RANKS torch_training.py OPTIONS

OPTIONS is JSON: `feed`, keywords of IcecoreDataset; `workers` of each rank's DataLoader; `directory` to write RANK.json to;
`checkpoint`, a file that is gone on from where it is there; `save`, after how many steps of the epoch it is written. A step
takes a batch of every worker of every rank: the rows of one global batch, whatever their number.
"""
import json
import os
import sys
from itertools import islice

import torch
import torch.distributed as dist
from icecore.torch import IcecoreDataset, resume_cursor
from torch.nn.parallel import DistributedDataParallel
from torchdata.stateful_dataloader import StatefulDataLoader

options = json.loads(sys.argv[1])
torch.manual_seed(1)
torch.set_num_threads(1)
dist.init_process_group("gloo")
rank, world_size = dist.get_rank(), dist.get_world_size()

model = torch.nn.Linear(3, 1, dtype=torch.float64)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
feed = dict(options["feed"])
step = 0
checkpoint = options.get("checkpoint")
if checkpoint is not None and os.path.exists(checkpoint):
    state = torch.load(checkpoint)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    feed["cursor"] = state["cursor"]
    step = state["step"]
network = DistributedDataParallel(model)

dataset = IcecoreDataset(columns=["n", "x1", "x2", "x3", "y"], **feed)
loader = StatefulDataLoader(dataset, batch_size=None, num_workers=options["workers"])
batches = iter(loader)
losses, seen = [], []
while True:
    taken = list(islice(batches, options["workers"]))
    columns = {name: torch.cat([batch[name].to(torch.float64) for batch in taken]) for name in taken[0]} if taken else None
    count = torch.tensor([0.0 if columns is None else len(columns["n"])], dtype=torch.float64)
    dist.all_reduce(count)
    if count.item() == 0:
        break
    # Ranks may differ by a row or a batch at the end: one that has nothing takes part with no row.
    features = torch.zeros(0, 3, dtype=torch.float64) if columns is None else torch.stack([columns["x1"], columns["x2"], columns["x3"]], 1)
    label = torch.zeros(0, dtype=torch.float64) if columns is None else columns["y"]
    optimizer.zero_grad()
    # DDP takes the mean over ranks, and this is a sum over rows.
    error = (network(features).squeeze(1) - label).square().sum()
    (error * world_size / count.item()).backward()
    optimizer.step()
    total = error.detach().reshape(1).clone()
    dist.all_reduce(total)
    losses.append(total.item() / count.item())
    seen.append([] if columns is None else columns["n"].to(torch.int64).tolist())
    step += 1
    if step == options.get("save") and checkpoint is not None:
        cursors = [None] * world_size
        dist.all_gather_object(cursors, resume_cursor(loader.state_dict()))
        assert len(set(cursors)) == 1, cursors
        if rank == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "cursor": cursors[0], "step": step}
            torch.save(state, checkpoint)
with open(os.path.join(options["directory"], f"{rank}.json"), "w") as file:
    json.dump({"losses": losses, "seen": seen, "weights": [*model.weight[0].tolist(), model.bias.item()]}, file)
dist.barrier()
dist.destroy_process_group()
