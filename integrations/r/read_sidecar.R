# Points that `sidecar map-points` or `sidecar align` wrote as CSV, as the array that geomorph takes:
# p landmarks x 3 x n specimens, in millimetres, NA where a specimen lacks a landmark.
#
#   A <- read_sidecar(c("beetle-7.csv", "beetle-8.csv"))   # geomorph::gpagen(A)
#
# Specimens are named by the column specimen, or else by the file. Stops at anything that would put a
# landmark into the wrong place of the array.
read_sidecar <- function(files) {
  read <- function(file) {
    rows <- read.csv(file, colClasses = "character", check.names = FALSE, encoding = "UTF-8", quote = "\"")
    refuse <- function(...) stop(basename(file), ": ", ..., call. = FALSE)
    lacking <- setdiff(c("label", "x_mm", "y_mm", "z_mm", "space"), names(rows))
    if (length(lacking)) refuse("has no column ", lacking[1], "; map the labels with sidecar map-points -o mapped.csv")
    if (!nrow(rows)) refuse("has no points")
    if ("shape_type" %in% names(rows) && any(!rows$shape_type %in% c("", "point"))) refuse("holds shapes other than points")
    if (any(rows$label == "")) refuse("row ", which(rows$label == "")[1] + 1, " has no label")
    if (!"specimen" %in% names(rows)) rows$specimen <- ""
    rows$specimen[rows$specimen == ""] <- sub("\\.csv$", "", basename(file))
    mm <- suppressWarnings(sapply(rows[c("x_mm", "y_mm", "z_mm")], as.numeric))
    rows[c("x", "y", "z")] <- matrix(mm, ncol = 3)
    if (any(!is.finite(as.matrix(rows[c("x", "y", "z")])))) refuse("has points without millimetres")
    rows[c("specimen", "label", "space", "x", "y", "z")]
  }
  rows <- do.call(rbind, lapply(files, read))
  if (length(unique(rows$space)) > 1) stop("the files are in several spaces: ", toString(unique(rows$space)), call. = FALSE)
  twice <- duplicated(rows[c("specimen", "label")])
  if (any(twice)) stop(rows$specimen[twice][1], " has the landmark ", rows$label[twice][1], " twice", call. = FALSE)
  landmarks <- unique(rows$label)
  specimens <- unique(rows$specimen)
  A <- array(NA_real_, c(length(landmarks), 3, length(specimens)), list(landmarks, c("X", "Y", "Z"), specimens))
  for (axis in 1:3) A[cbind(match(rows$label, landmarks), axis, match(rows$specimen, specimens))] <- rows[[3 + axis]]
  A
}
