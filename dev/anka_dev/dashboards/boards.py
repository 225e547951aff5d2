"""The four dashboards: is it healthy, is it full, what is slow, who uses it."""

from __future__ import annotations

from anka_dev.dashboards.panel import Dashboard, Panel, Query


def quantile(share: float, metric: str, by: str = "") -> str:
    """PromQL for a quantile of a histogram over five minutes."""
    labels = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[5m])))"


HEALTHY = Dashboard(
    "anka-healthy",
    "Anka: is it healthy",
    "Processes, Macs and failures.",
    [
        Panel("Leaders", "Operators that hold the Lease: always exactly one.", "short",
              [Query("sum(anka_operator_leader)", "leaders")], "stat", 6),
        Panel("Registry", "1 while the Anka registry answers.", "short",
              [Query("max(anka_operator_registry_up)", "answers")], "stat", 6),
        Panel("Macs by state", "Macs in state Active run VMs. Check the others.", "short",
              [Query("sum by (state) (anka_operator_nodes)", "{{state}}")], "stat", 12),
        Panel("Age of watches", "Time since the API last sent an event. Above three minutes, caches may be stale.", "s",
              [Query("max by (job, resource) (anka_kube_last_event_age_seconds)", "{{job}} {{resource}}")]),
        Panel("Errors of the Kubernetes API", "Requests refused or not answered, by code. Code 0 is no answer.",
              "reqps", [Query('sum by (job, code) (rate(anka_kube_requests_total{code!~"2..|404|409"}[5m]))',
                              "{{job}} {{code}}")]),
        Panel("Errors of the REST API", "Requests answered with HTTP 5xx, by route.", "reqps",
              [Query('sum by (route, code) (rate(anka_shim_requests_total{code=~"5.."}[5m]))', "{{route}} {{code}}")]),
        Panel("Instances that failed", "By reason, in the last hour.", "short",
              [Query("sum by (reason, when) (increase(anka_operator_failed_instances_total[1h]))",
                     "{{reason}} {{when}}")]),
        Panel("Results of scheduling", "Bindings per minute: made, in conflict, failed.",
              "cpm", [Query("60 * sum(rate(anka_operator_bound_total[5m]))", "bound"),
                      Query("60 * sum(rate(anka_operator_bind_conflicts_total[5m]))", "conflict, retried"),
                      Query("60 * sum by (reason) (rate(anka_operator_bind_failures_total[5m]))", "{{reason}}")]),
        Panel("Controllers that fail", "Passes that ended with an error. Each is repeated.", "short",
              [Query("sum by (controller) (increase(anka_operator_pass_errors_total[5m]))", "{{controller}}")]),
        Panel("Age of the Macs' reports", "An agent reports at least every five minutes.", "s",
              [Query("topk(10, anka_operator_node_report_age_seconds)", "{{node}}")]),
    ],
)  # fmt: skip

FULL = Dashboard(
    "anka-full",
    "Anka: is it full",
    "Capacity of the Macs, and instances that wait for it.",
    [
        Panel("VM slots in use", "On Macs that accept new VMs. At 100 % instances wait.", "percentunit",
              [Query('max(anka_operator_used{resource="vms"}) / max(anka_operator_capacity{resource="vms"})',
                     "in use")], "stat", 8),
        Panel("Waiting", "Instances without a Mac.", "short", [Query("max(anka_operator_queue_depth)", "waiting")],
              "stat", 8),
        Panel("Longest wait", "Among the instances that wait now.", "s",
              [Query("max(anka_operator_oldest_pending_seconds)", "longest")], "stat", 8),
        Panel("VM slots of all Macs", "In use, and in total.", "short",
              [Query('max(anka_operator_used{resource="vms"})', "in use"),
               Query('max(anka_operator_capacity{resource="vms"})', "total")]),
        Panel("Waiting, by reason", "Unschedulable: no Mac fits now. Others: something named does not exist.", "short",
              [Query("sum by (reason) (anka_operator_pending_instances)", "{{reason}}")]),
        Panel("VM slots in use, by group", "Instances that ask for a group at 100 % wait.", "percentunit",
              [Query('anka_operator_group_used{resource="vms"} / (anka_operator_group_capacity{resource="vms"} > 0)',
                     "{{group}}")], "bargauge"),
        Panel("Fullest Macs", "By the resource that limits them: VM slots, vCPUs or RAM.", "percentunit",
              [Query("topk(20, anka_operator_node_used / (anka_operator_node_capacity > 0))", "{{node}} {{resource}}")],
              "bargauge"),
        Panel("Load of the Macs", "CPU use in each Mac's last report.", "percentunit",
              [Query("topk(20, anka_operator_node_cpu_ratio)", "{{node}}")]),
        Panel("RAM of the Macs", "RAM in use in each Mac's last report.", "percentunit",
              [Query("topk(20, anka_operator_node_memory_ratio)", "{{node}}")]),
        Panel("Fullest disks", "Free share of each disk. Below 10 % pulls begin to fail.", "percentunit",
              [Query("bottomk(20, anka_operator_node_disk_free_bytes / anka_operator_node_disk_bytes)", "{{node}}")],
              "bargauge", 24),
    ],
)  # fmt: skip

SLOW = Dashboard(
    "anka-slow",
    "Anka: what is slow",
    "Where the time of starts and requests goes.",
    [
        Panel("From creation to Started", "Median and 90th percentile, by template.", "s",
              [Query(quantile(0.5, "anka_operator_start_seconds", "template"), "{{template}} median"),
               Query(quantile(0.9, "anka_operator_start_seconds", "template"), "{{template}} 90 %")]),
        Panel("Waiting for a Mac", "90th percentile, by template.", "s",
              [Query(quantile(0.9, "anka_operator_scheduling_seconds", "template"), "{{template}}")]),
        Panel("Pulls", "90th percentile, on Macs that Prometheus scrapes.", "s",
              [Query(quantile(0.9, "anka_agent_pull_seconds", "result"), "{{result}}")]),
        Panel("Commands of anka", "90th percentile, on Macs that Prometheus scrapes.", "s",
              [Query(quantile(0.9, "anka_agent_command_seconds", "command"), "{{command}}")]),
        Panel("REST requests", "95th percentile, by route.", "s",
              [Query(quantile(0.95, "anka_shim_request_seconds", "method, route"), "{{method}} {{route}}")]),
        Panel("Requests to the Kubernetes API", "95th percentile, by verb and resource.", "s",
              [Query(quantile(0.95, "anka_kube_request_seconds", "verb, resource"), "{{verb}} {{resource}}")]),
        Panel("Waiting in the apiserver", "99th percentile, by priority level. Above 0: more seats, or fewer requests.",
              "s", [Query(quantile(0.99, "apiserver_flowcontrol_request_wait_duration_seconds", "priority_level"),
                          "{{priority_level}}")]),
        Panel("Rejected by the apiserver", "Requests of ours that got no place in a queue (HTTP 429).", "reqps",
              [Query("sum by (flow_schema, reason) (rate("
                     'apiserver_flowcontrol_rejected_requests_total{flow_schema=~"anka-.*"}[5m]))',
                     "{{flow_schema}} {{reason}}")]),
        Panel("Seats of a request", "90th percentile. A write takes more the more watches its kind has.", "short",
              [Query(quantile(0.9, "apiserver_flowcontrol_work_estimated_seats", "priority_level"),
                     "{{priority_level}}")]),
        Panel("Watches that writes are charged for", "90th percentile. Grows with the number of Macs.", "short",
              [Query(quantile(0.9, "apiserver_flowcontrol_watch_count_samples", "flow_schema"), "{{flow_schema}}")]),
        Panel("Rounds of the scheduler", "99th percentile. A round covers all waiting instances.", "s",
              [Query(quantile(0.99, "anka_operator_scheduling_round_seconds"), "round")]),
        Panel("Event loop lag", "99th percentile. Above half a second the operator lacks CPU.", "s",
              [Query(quantile(0.99, "anka_operator_loop_lag_seconds", "instance"), "{{instance}}")]),
    ],
)  # fmt: skip

USE = Dashboard(
    "anka-use",
    "Anka: who uses it",
    "Instances by namespace, group and template; requests and writes.",
    [
        Panel("Instances by phase", "All instances.", "short",
              [Query("sum by (phase) (anka_operator_instances)", "{{phase}}")]),
        Panel("Instances by namespace", "Teams usually have their own; REST creates all instances in one.", "short",
              [Query("sum by (namespace) (anka_operator_instances)", "{{namespace}}")]),
        Panel("Instances by group", "Empty: the instance names no group.", "short",
              [Query("sum by (group) (anka_operator_instances)", "{{group}}")]),
        Panel("Instances by template", "Other: templates that are not in the registry.", "short",
              [Query("sum by (template) (anka_operator_instances)", "{{template}}")]),
        Panel("Starts", "Instances bound to a Mac, per minute.", "cpm",
              [Query("60 * sum(rate(anka_operator_bound_total[5m]))", "starts")]),
        Panel("REST requests", "By route.", "reqps",
              [Query("sum by (method, route) (rate(anka_shim_requests_total[5m]))", "{{method}} {{route}}")]),
        Panel("Writes to the Kubernetes API", "Its main load. Writes that would change nothing are not sent.", "reqps",
              [Query('sum by (job, verb, resource) (rate(anka_kube_requests_total{verb!~"get|list|watch"}[5m]))',
                     "{{job}} {{verb}} {{resource}}")]),
    ],
)  # fmt: skip

BOARDS = (HEALTHY, FULL, SLOW, USE)
