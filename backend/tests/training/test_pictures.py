from pathlib import Path

from training.pictures import draw_depth, draw_loss

LOG = """step,tokens_seen,seconds,loss_nats,validation_loss_nats,rate_share,tokens_per_second
10,80000,60,6.1,,0.5,1300
20,160000,80,5.2,5.4,1.0,3700
30,240000,100,4.9,5.1,0.9,3700
"""
LAYERS = [
    {"layer": layer, "median_entropy_nats": 7.0 - layer, "median_rank": 10.0 ** (3 - layer)}
    for layer in range(4)
]


def test_pictures_are_drawn_and_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text(LOG, encoding="utf-8")
    pictures = []
    for name in ("first", "second"):
        draw_loss(tmp_path / "log.csv", tmp_path / f"{name}-loss.svg")
        draw_depth(LAYERS, tmp_path / f"{name}-depth.svg")
        pictures.append(
            tuple((tmp_path / f"{name}-{kind}.svg").read_bytes() for kind in ("loss", "depth"))
        )

    assert pictures[0] == pictures[1]
    assert all(picture.startswith(b"<?xml") for picture in pictures[0])
    assert pictures[0][0] != pictures[0][1]
