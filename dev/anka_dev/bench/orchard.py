"""Figures of the peer Orchard, beside which ours are shown.

Measured on such a machine (2 cores, its controller on the loopback address without TLS and with authentication, its
synthetic workers, a load generator in Go with kept connections): single runs, to be read as ±30 %. They are constants
because Orchard is not part of this repository; what is compared by measurement in one run is named `raw`, `livez`,
`kube_scheduler` or `pods`.
"""

from anka_dev.bench.figures import PeerFigure

LIST_1000_P50_MS = PeerFigure("Orchard", 25.7)
LIST_1000_PER_S_C1 = PeerFigure("Orchard", 38)
LIST_1000_PER_S_C8 = PeerFigure("Orchard", 140)
GET_PER_S_C1 = PeerFigure("Orchard", 2084)
GET_PER_S_C8 = PeerFigure("Orchard", 4544)
GET_P50_MS = PeerFigure("Orchard", 0.43)
POST_PER_S_C1 = PeerFigure("Orchard", 777)
POST_PER_S_C8 = PeerFigure("Orchard", 787)
DELETE_PER_S_C8 = PeerFigure("Orchard", 1118)

BURST_1000_CREATED_S = PeerFigure("Orchard", 1.24)
BURST_1000_BOUND_S = PeerFigure("Orchard", 2.04)
BURST_1000_STARTED_S = PeerFigure("Orchard", 6.4)
BURST_1000_CPU_S = PeerFigure("Orchard", 4.6)
BURST_1000_RSS_MB = PeerFigure("Orchard", 193)
BURST_100_STARTED_S = PeerFigure("Orchard", 7.2)
BURST_100_STARTED_P95_S = PeerFigure("Orchard", 7.1)
BURST_100_CPU_S = PeerFigure("Orchard", 0.9)
BURST_100_RSS_MB = PeerFigure("Orchard", 139)
