"""The four dashboards: is it healthy, is it full, what is slow, who uses it."""

from __future__ import annotations

from anka_dev.dashboards.panel import Dashboard, Panel, Query


def quantile(share: float, metric: str, by: str = "") -> str:
    """Of a histogram, over five minutes."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[5m])))"


HEALTHY = Dashboard(
    "anka-healthy",
    "Anka: is it healthy",
    "Processes, Macs and failures.",
    [
        Panel("Leaders", "Operators that lead: exactly one, always.", "short",
              [Query("sum(anka_operator_leader)", "leaders")], "stat", 6),
        Panel("Registry", "1 while the Anka registry answers.", "short",
              [Query("max(anka_operator_registry_up)", "answers")], "stat", 6),
        Panel("Macs by state", "Active ones run VMs. The others need a look.", "short",
              [Query("sum by (state) (anka_operator_nodes)", "{{state}}")], "stat", 12),
        Panel("Age of watches", "Since the API last sent anything. Above three minutes, much may be old.", "s",
              [Query("max by (job, resource) (anka_kube_last_event_age_seconds)", "{{job}} {{resource}}")]),
        Panel("Errors of the Kubernetes API", "Requests that were refused or not answered, by code. 0 is no answer.",
              "reqps", [Query('sum by (job, code) (rate(anka_kube_requests_total{code!~"2..|404|409"}[5m]))',
                              "{{job}} {{code}}")]),
        Panel("Errors of the REST API", "Requests answered with HTTP 5xx, by route.", "reqps",
              [Query('sum by (route, code) (rate(anka_shim_requests_total{code=~"5.."}[5m]))', "{{route}} {{code}}")]),
        Panel("Instances that failed", "By reason, within an hour.", "short",
              [Query("sum by (reason, when) (increase(anka_operator_failed_instances_total[1h]))",
                     "{{reason}} {{when}}")]),
        Panel("Results of scheduling", "Binds that were made, came too late, or failed. Who waits: the next board.",
              "cpm", [Query("60 * sum(rate(anka_operator_bound_total[5m]))", "bound"),
                      Query("60 * sum(rate(anka_operator_bind_conflicts_total[5m]))", "conflict, tried again"),
                      Query("60 * sum by (reason) (rate(anka_operator_bind_failures_total[5m]))", "{{reason}}")]),
        Panel("Controllers that fail", "Passes that ended with an error. They are repeated.", "short",
              [Query("sum by (controller) (increase(anka_operator_pass_errors_total[5m]))", "{{controller}}")]),
        Panel("Age of the Macs' reports", "An agent reports at least every five minutes.", "s",
              [Query("topk(10, anka_operator_node_report_age_seconds)", "{{node}}")]),
    ],
)  # fmt: skip

FULL = Dashboard(
    "anka-full",
    "Anka: is it full",
    "Room on the Macs, and who waits for it.",
    [
        Panel("Places taken", "Of the Macs that take new VMs. At 100 % instances wait.", "percentunit",
              [Query('max(anka_operator_used{resource="vms"}) / max(anka_operator_capacity{resource="vms"})', "taken")],
              "stat", 8),
        Panel("Waiting", "Instances without a Mac.", "short", [Query("max(anka_operator_queue_depth)", "waiting")],
              "stat", 8),
        Panel("Longest wait", "Of those who wait now.", "s",
              [Query("max(anka_operator_oldest_pending_seconds)", "longest")], "stat", 8),
        Panel("Places of all Macs", "Taken, and there.", "short",
              [Query('max(anka_operator_used{resource="vms"})', "taken"),
               Query('max(anka_operator_capacity{resource="vms"})', "there")]),
        Panel("Waiting, by reason", "Unschedulable: no Mac fits now. All else waits for what does not exist.", "short",
              [Query("sum by (reason) (anka_operator_pending_instances)", "{{reason}}")]),
        Panel("Places taken, by group", "A group at 100 % makes those wait who ask for it.", "percentunit",
              [Query('anka_operator_group_used{resource="vms"} / (anka_operator_group_capacity{resource="vms"} > 0)',
                     "{{group}}")], "bargauge"),
        Panel("Fullest Macs", "By what limits them: places, vCPUs or RAM.", "percentunit",
              [Query("topk(20, anka_operator_node_used / (anka_operator_node_capacity > 0))", "{{node}} {{resource}}")],
              "bargauge"),
        Panel("Load of the Macs", "CPU, as the Macs reported it last.", "percentunit",
              [Query("topk(20, anka_operator_node_cpu_ratio)", "{{node}}")]),
        Panel("RAM of the Macs", "In use, as the Macs reported it last.", "percentunit",
              [Query("topk(20, anka_operator_node_memory_ratio)", "{{node}}")]),
        Panel("Fullest disks", "Below a tenth of free space pulls begin to fail.", "percentunit",
              [Query("bottomk(20, anka_operator_node_disk_free_bytes / anka_operator_node_disk_bytes)", "{{node}}")],
              "bargauge", 24),
    ],
)  # fmt: skip

SLOW = Dashboard(
    "anka-slow",
    "Anka: what is slow",
    "Where the time of a start goes, and that of requests.",
    [
        Panel("From creation to Started", "Half of all starts, and nine of ten, by template.", "s",
              [Query(quantile(0.5, "anka_operator_start_seconds", "template"), "{{template}} half"),
               Query(quantile(0.9, "anka_operator_start_seconds", "template"), "{{template}} nine of ten")]),
        Panel("Waiting for a Mac", "Nine of ten, by template.", "s",
              [Query(quantile(0.9, "anka_operator_scheduling_seconds", "template"), "{{template}}")]),
        Panel("Pulls", "Nine of ten. Only of Macs that Prometheus scrapes.", "s",
              [Query(quantile(0.9, "anka_agent_pull_seconds", "result"), "{{result}}")]),
        Panel("Commands of anka", "Nine of ten. Only of Macs that Prometheus scrapes.", "s",
              [Query(quantile(0.9, "anka_agent_command_seconds", "command"), "{{command}}")]),
        Panel("REST requests", "Nineteen of twenty, by route.", "s",
              [Query(quantile(0.95, "anka_shim_request_seconds", "method, route"), "{{method}} {{route}}")]),
        Panel("Requests to the Kubernetes API", "Nineteen of twenty.", "s",
              [Query(quantile(0.95, "anka_kube_request_seconds", "verb, resource"), "{{verb}} {{resource}}")]),
        Panel("Rounds of the scheduler", "99 of 100. A round looks at all who wait.", "s",
              [Query(quantile(0.99, "anka_operator_scheduling_round_seconds"), "round")]),
        Panel("Lateness of the event loop", "99 of 100. Above half a second the operator lacks CPU.", "s",
              [Query(quantile(0.99, "anka_operator_loop_lag_seconds", "instance"), "{{instance}}")]),
    ],
)  # fmt: skip

USE = Dashboard(
    "anka-use",
    "Anka: who uses it",
    "Instances by namespace, group and template; requests and writes.",
    [
        Panel("Instances by phase", "All that there are.", "short",
              [Query("sum by (phase) (anka_operator_instances)", "{{phase}}")]),
        Panel("Instances by namespace", "A team mostly has its own; REST makes all in one.", "short",
              [Query("sum by (namespace) (anka_operator_instances)", "{{namespace}}")]),
        Panel("Instances by group", "Empty: no group was asked for.", "short",
              [Query("sum by (group) (anka_operator_instances)", "{{group}}")]),
        Panel("Instances by template", "Other: what is not in the registry.", "short",
              [Query("sum by (template) (anka_operator_instances)", "{{template}}")]),
        Panel("Starts", "Instances given a Mac.", "cpm",
              [Query("60 * sum(rate(anka_operator_bound_total[5m]))", "starts")]),
        Panel("REST requests", "By route.", "reqps",
              [Query("sum by (method, route) (rate(anka_shim_requests_total[5m]))", "{{method}} {{route}}")]),
        Panel("Writes to the Kubernetes API", "What loads it most. Those that change nothing are never sent.", "reqps",
              [Query('sum by (job, verb, resource) (rate(anka_kube_requests_total{verb!~"get|list|watch"}[5m]))',
                     "{{job}} {{verb}} {{resource}}")]),
    ],
)  # fmt: skip

BOARDS = (HEALTHY, FULL, SLOW, USE)
